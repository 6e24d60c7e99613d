/**
 * One stream of the bus, read from a position on, each message once and in order.
 *
 * The consumer is the server's, in memory, without acks, and ends with the connection. What was read
 * is known here alone: the stream's identity (its creation time) and the next sequence. Consumers
 * count what they deliver; when a number is missing, or a heartbeat tells of more than arrived, a new
 * consumer is made from the next sequence on. So there is neither a gap nor a repeat.
 */

import { readDelivery } from "../model/delivery.ts";
import { type Milliseconds, milliseconds, type Sequence, sequence } from "../types/units.ts";
import type { BusConnection, BusMessage } from "./bus.ts";

/** Where reading goes on. */
export interface Position {
  /** Creation time of the stream, as the server writes it: another one is another stream. */
  readonly identity: string;
  readonly next: Sequence;
}

export interface Delivered {
  readonly stream: string;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly seq: Sequence;
  readonly storedMs: Milliseconds;
}

export interface ReaderSink {
  readonly delivered: (message: Delivered) => void;
  /**
   * The stream is another one than before, or too far ahead: what was delivered of it is past.
   * `skipped` of its messages will not be delivered; 0 for another one.
   */
  readonly restarted: (stream: string, skipped: number) => void;
  /** How many messages are stored that have not been delivered; told again whenever it changes. */
  readonly pending: (stream: string, count: number) => void;
}

const HEARTBEAT_MS = 5_000;
const SILENCE_MS = 3 * HEARTBEAT_MS;
/** Messages that are caught up with after an absence; after a longer one reading begins anew. */
const CATCH_UP = 50_000;
const ABSENT_RETRY_MS = 2_000;
const NANOSECONDS = 1_000_000;
const HEARTBEAT_STATUS = 100;
const STREAM_NOT_FOUND = 10059;

interface StreamInfo {
  readonly created: string;
  readonly state: { readonly first_seq: number; readonly last_seq: number };
}

export class StreamReader {
  readonly #bus: BusConnection;
  readonly #stream: string;
  readonly #sink: ReaderSink;
  readonly #backlog: number;
  #position: Position | null;
  #stopDelivery: () => void = () => undefined;
  #consumed = 0;
  #heardAt = 0;
  #isAttaching = false;
  #isStopped = false;
  #watch: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** Reading begins with `start`. `backlog` is how many of the last messages a first reader gets. */
  constructor(
    bus: BusConnection,
    stream: string,
    from: Position | null,
    backlog: number,
    sink: ReaderSink,
  ) {
    this.#bus = bus;
    this.#stream = stream;
    this.#position = from;
    this.#backlog = backlog;
    this.#sink = sink;
  }

  /** Where the next reader goes on; null before the first look at the stream. */
  get position(): Position | null {
    return this.#position;
  }

  /** Read until `stop`; resolves when the consumer is there, or is waited for. */
  async start(): Promise<void> {
    this.#watch = setInterval(() => this.#checkSilence(), HEARTBEAT_MS);
    await this.#attach();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    this.#stopDelivery();
  }

  /** One attach at a time; what fails closes the connection, whose holder opens another. */
  async #attach(): Promise<void> {
    if (this.#isAttaching || this.#isStopped) return;
    this.#isAttaching = true;
    this.#stopDelivery();
    try {
      const info = await this.#look();
      if (this.#isStopped) return;
      if (info) await this.#consume(info);
      else this.#retry = setTimeout(() => void this.#attach(), ABSENT_RETRY_MS);
    } catch {
      this.#bus.close();
    } finally {
      this.#isAttaching = false;
    }
  }

  async #look(): Promise<StreamInfo | null> {
    const answer = await this.#bus.request(`$JS.API.STREAM.INFO.${this.#stream}`, {});
    const { error } = answer as { error?: { err_code: number; description: string } };
    if (error?.err_code === STREAM_NOT_FOUND) {
      this.#sink.pending(this.#stream, 0);
      return null;
    }
    if (error) throw new Error(error.description);
    return answer as StreamInfo;
  }

  async #consume(info: StreamInfo): Promise<void> {
    const position = this.#place(info);
    this.#position = position;
    this.#consumed = 0;
    this.#heardAt = performance.now();
    this.#sink.pending(this.#stream, Math.max(0, info.state.last_seq - position.next + 1));
    const inbox = this.#bus.newInbox();
    this.#stopDelivery = this.#bus.subscribe(inbox, (message) => this.#hear(message));
    const name = inbox.slice(inbox.lastIndexOf(".") + 1);
    const answer = await this.#bus.request(
      `$JS.API.CONSUMER.CREATE.${this.#stream}.${name}`,
      consumerOf(this.#stream, name, inbox, position.next),
    );
    const { error } = answer as { error?: { description: string } };
    if (error) throw new Error(error.description);
  }

  /** Go on where reading ended, if that is in the stream and not too long ago. */
  #place(info: StreamInfo): Position {
    const { first_seq: first, last_seq: last } = info.state;
    const before = this.#position;
    if (before && isContinued(before, info)) return before;
    const next = Math.max(first, last - this.#backlog + 1, 1);
    const isSame = before?.identity === info.created;
    if (before) this.#sink.restarted(this.#stream, isSame ? Math.max(next - before.next, 0) : 0);
    return { identity: info.created, next: sequence(next) };
  }

  #hear(message: BusMessage): void {
    this.#heardAt = performance.now();
    if (message.status === HEARTBEAT_STATUS) this.#hearServer(message);
    else if (message.status === 0) this.#take(message);
    else void this.#attach(); // the consumer is gone
  }

  #hearServer(message: BusMessage): void {
    // A request for flow control is answered when what came before it has been taken.
    const stalled = message.header("Nats-Consumer-Stalled");
    if (message.reply) this.#bus.publish(message.reply);
    if (stalled) this.#bus.publish(stalled);
    const last = message.header("Nats-Last-Consumer");
    if (last !== "" && Number(last) !== this.#consumed) void this.#attach();
  }

  #take(message: BusMessage): void {
    const delivery = readDelivery(message.reply);
    const position = this.#position;
    if (!delivery || !position) return;
    if (delivery.consumerSeq !== this.#consumed + 1 || delivery.streamSeq < position.next) {
      void this.#attach();
      return;
    }
    this.#consumed = delivery.consumerSeq;
    this.#position = { ...position, next: sequence(delivery.streamSeq + 1) };
    this.#sink.delivered({
      stream: this.#stream,
      subject: message.subject,
      data: message.data,
      seq: delivery.streamSeq,
      storedMs: milliseconds(delivery.storedMs),
    });
    this.#sink.pending(this.#stream, delivery.pending);
  }

  #checkSilence(): void {
    if (performance.now() - this.#heardAt > SILENCE_MS) void this.#attach();
  }
}

/** A stream that ends before the position has lost what was read: it is another one, too. */
function isContinued(position: Position, { created, state }: StreamInfo): boolean {
  const { next, identity } = position;
  return identity === created && next <= state.last_seq + 1 && next > state.last_seq - CATCH_UP;
}

function consumerOf(stream: string, name: string, inbox: string, from: Sequence) {
  const config = {
    name,
    deliver_subject: inbox,
    deliver_policy: "by_start_sequence",
    opt_start_seq: from,
    ack_policy: "none",
    replay_policy: "instant",
    max_deliver: 1,
    flow_control: true,
    idle_heartbeat: HEARTBEAT_MS * NANOSECONDS,
    mem_storage: true,
    num_replicas: 1,
  };
  return { stream_name: stream, config, action: "create" };
}
