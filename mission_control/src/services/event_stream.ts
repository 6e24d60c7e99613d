/**
 * The live events of the swarm, straight from the bus.
 *
 * Socket, decoding, a queue, one flush per frame. The connection is opened again for as long as the
 * stream is wanted, each time with a fresh session, and every stream goes on at its next sequence.
 */

import { viewOfBytes } from "../model/event_view.ts";
import type { Arrival } from "../stores/live_store.ts";
import type { Connection } from "../types/live.ts";
import { milliseconds } from "../types/units.ts";
import type { BusConnection, OpenBus } from "./bus.ts";
import { type Delivered, type Position, StreamReader } from "./stream_reader.ts";
import type { Session } from "./trace_api.ts";
import { makeShortTextsHere } from "./wire_text.ts";

makeShortTextsHere();

export interface EventStreamSink {
  /** What arrived since the last flush, in the order in which the bus stored it. */
  readonly arrived: (arrivals: readonly Arrival[]) => void;
  /** A stream is another one than before; what arrived of it is past. */
  readonly restarted: (stream: string) => void;
  readonly changed: (connection: Connection) => void;
}

/** Calls `flush` soon, but not within so many milliseconds, at most once; returns how to call it off. */
export type Schedule = (flush: () => void, pauseMs: number) => () => void;

export interface EventStreamOptions {
  readonly getSession: () => Promise<Session>;
  readonly openBus: OpenBus;
  readonly sink: EventStreamSink;
  readonly schedule?: Schedule;
  /** How many of the last messages of each stream are read at first. */
  readonly backlog?: number;
}

/** Messages that are stored but not here, above which what is shown is said to be behind. */
const BEHIND = 1_000;
/** Arrivals that are not flushed yet; beyond that they are flushed at once. */
const QUEUE_BOUND = 10_000;
const BACKLOG = 3_000;
/** Where this many arrive at once nobody reads each: there the picture changes a bit less often. */
const MANY = 40;
const PAUSE_MS = 60;
/** How long streams that are read for the first time, or again, may take until they are shown as one. */
const HOLD_MS = 500;
const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 5_000;

export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #schedule: Schedule;
  readonly #positions = new Map<string, Position>();
  readonly #pending = new Map<string, number>();
  #queue: Arrival[] = [];
  /** How many the last flush handed over. */
  #lastCount = 0;
  #callOff: (() => void) | null = null;
  #connection: Connection = {
    phase: "connecting",
    pending: 0,
    skipped: 0,
    reason: "",
    since: now(),
  };
  /** Since the connection was lost. */
  #skipped = 0;
  #session: Session | null = null;
  #bus: BusConnection | null = null;
  #isAttached = false;
  #isHolding = false;
  #isStopped = false;
  #hurry: () => void = () => undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#schedule = options.schedule ?? nextFrame;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Stay connected until `stop`. */
  async run(): Promise<void> {
    let delay = FIRST_DELAY_MS;
    while (!this.#isStopped) {
      const reason = await this.#connectOnce(() => {
        delay = FIRST_DELAY_MS;
      });
      if (this.#isStopped) return;
      this.#skipped = 0;
      this.#become("lost", reason);
      await this.#pause(delay * (0.75 + Math.random() / 2));
      delay = Math.min(delay * 2, LAST_DELAY_MS);
    }
  }

  /** End the connection and let go of what was not flushed. */
  stop(): void {
    this.#isStopped = true;
    this.#callOff?.();
    this.#callOff = null;
    this.#bus?.close();
    this.#hurry();
  }

  /** Connect without further delay, if there is no connection. */
  hurry(): void {
    this.#hurry();
  }

  /** Return why the connection ended, or could not be made. */
  async #connectOnce(onAttached: () => void): Promise<string> {
    try {
      const session = await this.#freshSession();
      if (this.#isStopped) return "";
      if (!session.nats) return "This server knows no websocket of the bus";
      const bus = await this.#options.openBus(session.nats);
      this.#bus = bus;
      return await this.#read(bus, session.nats.streams, onAttached);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.#bus = null;
    }
  }

  async #read(bus: BusConnection, streams: readonly string[], onAttached: () => void) {
    if (this.#isStopped) bus.close();
    this.#isHolding = true;
    const release = setTimeout(() => this.#release(), HOLD_MS);
    const readers = streams.map((stream) => this.#reader(bus, stream));
    const attached = Promise.all(readers.map((reader) => reader.start())).then(() => {
      this.#isAttached = true;
      onAttached();
      this.#tellPending();
    });
    try {
      await Promise.race([attached, bus.over]);
      return await bus.over;
    } finally {
      clearTimeout(release);
      this.#release();
      this.#isAttached = false;
      for (const [index, reader] of readers.entries()) {
        reader.stop();
        const stream = streams[index];
        if (stream !== undefined && reader.position) this.#positions.set(stream, reader.position);
      }
    }
  }

  #reader(bus: BusConnection, stream: string): StreamReader {
    const from = this.#positions.get(stream) ?? null;
    return new StreamReader(bus, stream, from, this.#options.backlog ?? BACKLOG, {
      delivered: (message) => this.#take(message),
      restarted: (name, skipped) => {
        this.flush();
        this.#skipped += skipped;
        this.#options.sink.restarted(name);
      },
      pending: (name, count) => {
        this.#pending.set(name, count);
        this.#tellPending();
      },
    });
  }

  /** The session of before is better than none: the bus may be up while the server starts. */
  async #freshSession(): Promise<Session> {
    try {
      this.#session = await this.#options.getSession();
    } catch (error) {
      if (!this.#session) throw error;
    }
    return this.#session;
  }

  #take(message: Delivered): void {
    const { stream, seq, subject, storedMs } = message;
    this.#queue.push({ event: viewOfBytes(message.data, { stream, seq, subject }), storedMs });
    if (this.#queue.length >= QUEUE_BOUND) this.flush();
    else if (this.#isHolding)
      return; // streams come one after the other; they are shown as one
    else this.#callOff ??= this.#schedule(() => this.flush(), this.#pauseMs());
  }

  #pauseMs(): number {
    return this.#lastCount < MANY ? 0 : PAUSE_MS;
  }

  /** What was stored while nobody read is here, or takes too long to be waited for. */
  #release(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    if (this.#queue.length > 0) this.#callOff ??= this.#schedule(() => this.flush(), 0);
  }

  /** Hand over what is queued, now. */
  flush(): void {
    this.#callOff?.();
    this.#callOff = null;
    if (this.#queue.length === 0) return;
    const arrivals = this.#queue;
    this.#queue = [];
    this.#lastCount = arrivals.length;
    this.#options.sink.arrived(arrivals.sort((one, other) => one.storedMs - other.storedMs));
  }

  #tellPending(): void {
    if (!this.#isAttached) return;
    let pending = 0;
    for (const count of this.#pending.values()) pending += count;
    if (pending === 0) this.#release();
    const wasBehind = this.#connection.phase === "behind";
    // What has been behind is so until everything is here, so that the state does not flicker.
    const isBehind = pending > BEHIND || (wasBehind && pending > 0);
    this.#become(isBehind ? "behind" : "live", "", isBehind ? pending : 0);
  }

  #become(phase: Connection["phase"], reason: string, pending = 0): void {
    const before = this.#connection;
    const since = before.phase === phase ? before.since : now();
    const after = { phase, pending, skipped: this.#skipped, reason, since };
    if (isSameState(before, after)) return;
    this.#connection = after;
    this.#options.sink.changed(this.#connection);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isSameState(one: Connection, other: Connection): boolean {
  return (
    one.phase === other.phase &&
    one.reason === other.reason &&
    one.pending === other.pending &&
    one.skipped === other.skipped
  );
}

function now() {
  return milliseconds(Date.now());
}

const FRAME_BOUND_MS = 100;

/** Pages that nobody sees get no frames: a timer is there beside. */
function nextFrame(flush: () => void, pauseMs: number): () => void {
  let frame = 0;
  const ask = () => {
    frame = requestAnimationFrame(flush);
  };
  const pause = pauseMs > 0 ? setTimeout(ask, pauseMs) : undefined;
  if (pauseMs === 0) ask();
  const timer = setTimeout(flush, FRAME_BOUND_MS);
  return () => {
    clearTimeout(pause);
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
