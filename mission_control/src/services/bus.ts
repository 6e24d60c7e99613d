/** The bus as the event stream uses it: requests, subscriptions, an end. */

import { wsconnect } from "@nats-io/nats-core";
import type { BusAccess } from "./trace_api.ts";

/** A message as it was delivered. */
export interface BusMessage {
  readonly subject: string;
  readonly reply?: string | undefined;
  readonly data: Uint8Array;
  /** Status of the server's own messages, such as 100 for heartbeats; 0 for all others. */
  readonly status: number;
  /** Value of a header; empty where there is none. */
  readonly header: (name: string) => string;
}

export interface BusConnection {
  /** Ask an API of the server and return its JSON. */
  readonly request: (subject: string, body: unknown) => Promise<unknown>;
  /** Hand every message of a subject to `handle`; returns how to stop. */
  readonly subscribe: (subject: string, handle: (message: BusMessage) => void) => () => void;
  readonly publish: (subject: string) => void;
  readonly newInbox: () => string;
  /** Settles when the connection is over, with the reason. */
  readonly over: Promise<string>;
  readonly close: () => void;
}

export type OpenBus = (access: BusAccess) => Promise<BusConnection>;

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 10_000;

/** Connect over the websocket, as the user that the access names. */
export const openBus: OpenBus = async (access) => {
  const { url, user, password, inbox_prefix: inboxPrefix } = access;
  const connection = await wsconnect({
    servers: url,
    user,
    pass: password,
    name: "mission control",
    inboxPrefix,
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    // Whoever holds the connection opens the next one, with a session that is then new too.
    reconnect: false,
    ignoreClusterUpdates: true,
  });
  const over = connection.closed().then((error) => (error ? error.message : "connection closed"));
  return {
    over,
    request: async (subject, body) => {
      const options = { timeout: REQUEST_TIMEOUT_MS };
      const answer = await connection.request(subject, JSON.stringify(body), options);
      return answer.json();
    },
    subscribe: (subject, handle) => {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error) return; // the connection tells of its end itself
          const { headers } = message;
          handle({
            subject: message.subject,
            reply: message.reply,
            data: message.data,
            status: headers?.code ?? 0,
            header: (name) => headers?.get(name) ?? "",
          });
        },
      });
      return () => subscription.unsubscribe();
    },
    publish: (subject) => connection.publish(subject),
    newInbox: () => `${inboxPrefix}.${crypto.randomUUID().replaceAll("-", "")}`,
    close: () => void connection.close().catch(() => undefined),
  };
};
