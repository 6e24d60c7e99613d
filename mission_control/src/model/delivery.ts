/** What JetStream writes beside a message that it delivers. Pure. */

import { type Milliseconds, milliseconds, type Sequence, sequence } from "../types/units.ts";

export interface Delivery {
  readonly streamSeq: Sequence;
  /** Counts what this consumer was handed, from 1: a missing number is a lost delivery. */
  readonly consumerSeq: number;
  /** When the message was stored, by the server's clock. */
  readonly storedMs: Milliseconds;
  /** Messages that the stream holds after this one. */
  readonly pending: number;
}

const OLD_TOKENS = 9;
const NEW_TOKENS = 11;

/**
 * Read the reply subject of a delivery, or null where it is none.
 *
 * `$JS.ACK.STREAM.CONSUMER.TRIES.SEQ.CONSUMER_SEQ.NANOSECONDS.PENDING`; newer servers put domain and
 * account before the stream, and may put more at the end.
 */
export function readDelivery(reply: string | undefined): Delivery | null {
  const tokens = reply?.split(".") ?? [];
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK") return null;
  const shift = tokens.length >= NEW_TOKENS ? 2 : 0;
  if (tokens.length < OLD_TOKENS + shift) return null;
  const [streamSeq, consumerSeq, stored, pending] = tokens.slice(5 + shift, 9 + shift).map(Number);
  if (streamSeq === undefined || consumerSeq === undefined) return null;
  if (stored === undefined || pending === undefined) return null;
  if (Number.isNaN(streamSeq + consumerSeq + stored + pending)) return null;
  return {
    streamSeq: sequence(streamSeq),
    consumerSeq,
    storedMs: milliseconds(stored / 1e6),
    pending,
  };
}
