/** A bus in memory that delivers as JetStream does, and fails when a test says so. */

import type { BusConnection, BusMessage } from "../services/bus.ts";
import type { Session } from "../services/trace_api.ts";
import { eventBytes } from "./agent_events.ts";

const STREAM = "S";
const STORED_NS = 1_700_000_000_000_000_000;
const NOT_FOUND = { error: { err_code: 10059, description: "stream not found" } };

/** The session that names this bus. */
export const fakeSession: Session = {
  version: "1",
  home_name: "home",
  jaeger_url: null,
  ledger_heads: [],
  nats: { url: "ws://bus", user: "u", password: "p", inbox_prefix: "_INBOX_u", streams: [STREAM] },
};

interface Consumer {
  readonly deliver: (message: BusMessage) => void;
  readonly inbox: string;
  next: number;
  sent: number;
}

/** The server: a stream, and what is connected to it. */
export class FakeBus {
  #created = "one";
  #messages: { readonly text: string; readonly data: Uint8Array }[] = [];
  #links = new Set<FakeLink>();
  /** Connections are refused while it is down. */
  isDown = false;
  /** So many of the next deliveries get lost on the way. */
  lost = 0;

  /** Store an event whose decision says `text`; deliver it to whoever reads. */
  publish(text: string): void {
    const data = eventBytes({ case: "decision", value: { rationale: text } });
    this.#messages.push({ text, data });
    for (const link of this.#links) link.pump();
  }

  /** Another stream of the same name, empty. */
  recreate(): void {
    this.#created += "'";
    this.#messages = [];
    this.cut();
  }

  /** End every connection. */
  cut(): void {
    for (const link of [...this.#links]) link.close();
  }

  /** Tell readers how much was delivered, as the server does when it is idle. */
  beat(): void {
    for (const link of this.#links) link.beat();
  }

  readonly open = async (): Promise<BusConnection> => {
    if (this.isDown) throw new Error("refused");
    const link = new FakeLink(this, (closed) => this.#links.delete(closed));
    this.#links.add(link);
    return link;
  };

  get connections(): number {
    return this.#links.size;
  }

  info(): object {
    const last_seq = this.#messages.length;
    return { created: this.#created, state: { first_seq: Math.min(1, last_seq), last_seq } };
  }

  /** Hand a consumer everything that it has not been sent. */
  feed(consumer: Consumer): void {
    for (; consumer.next <= this.#messages.length; consumer.next += 1) {
      const message = this.#messages[consumer.next - 1];
      consumer.sent += 1;
      if (this.lost > 0) {
        this.lost -= 1;
        continue;
      }
      const pending = this.#messages.length - consumer.next;
      const place = `1.${consumer.next}.${consumer.sent}.${STORED_NS + consumer.next}.${pending}`;
      if (message) consumer.deliver(messageOf(message.data, `$JS.ACK.${STREAM}.c.${place}`));
    }
  }
}

class FakeLink implements BusConnection {
  readonly #bus: FakeBus;
  readonly #onClose: (link: FakeLink) => void;
  readonly #handlers = new Map<string, (message: BusMessage) => void>();
  readonly #consumers: Consumer[] = [];
  #settle: (reason: string) => void = () => undefined;
  readonly over = new Promise<string>((resolve) => {
    this.#settle = resolve;
  });

  constructor(bus: FakeBus, onClose: (link: FakeLink) => void) {
    this.#bus = bus;
    this.#onClose = onClose;
  }

  readonly request = async (subject: string, body: unknown): Promise<unknown> => {
    if (subject === `$JS.API.STREAM.INFO.${STREAM}`) return this.#bus.info();
    if (!subject.startsWith(`$JS.API.CONSUMER.CREATE.${STREAM}.`)) return NOT_FOUND;
    const { config } = body as { config: { deliver_subject: string; opt_start_seq: number } };
    const inbox = config.deliver_subject;
    const deliver = (message: BusMessage) => this.#handlers.get(inbox)?.(message);
    this.#consumers.push({ inbox, deliver, next: config.opt_start_seq, sent: 0 });
    queueMicrotask(() => this.pump());
    return {};
  };

  readonly subscribe = (subject: string, handle: (message: BusMessage) => void) => {
    this.#handlers.set(subject, handle);
    return () => void this.#handlers.delete(subject);
  };

  readonly publish = (): void => undefined;
  readonly newInbox = (): string => `_INBOX_u.${this.#handlers.size}-${Math.random()}`;

  readonly close = (): void => {
    this.#onClose(this);
    this.#settle("closed");
  };

  pump(): void {
    for (const consumer of this.#consumers) {
      if (this.#handlers.has(consumer.inbox)) this.#bus.feed(consumer);
    }
  }

  beat(): void {
    for (const { deliver, sent } of this.#consumers) {
      deliver({ ...messageOf(new Uint8Array(), ""), status: 100, header: () => String(sent) });
    }
  }
}

function messageOf(data: Uint8Array, reply: string): BusMessage {
  return { subject: "swarm.events.coder.x", reply, data, status: 0, header: () => "" };
}
