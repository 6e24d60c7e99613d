/** The live swarm in components: one event stream and one store for the whole page. */

import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import { openBus } from "../services/bus.ts";
import { EventStream } from "../services/event_stream.ts";
import { traceApi } from "../services/trace_api.ts";
import { LiveStore } from "../stores/live_store.ts";
import type { Connection, LiveSnapshot } from "../types/live.ts";
import { milliseconds } from "../types/units.ts";

const TICK_MS = 1_000;
const AGENTS_AGAIN_MS = 15_000;
const CONNECTING: Connection = {
  phase: "connecting",
  pending: 0,
  skipped: 0,
  reason: "",
  since: milliseconds(Date.now()),
};

interface Live {
  readonly store: LiveStore;
  readonly connection: Connection;
}

const LiveContext = createContext<Live | null>(null);

/** Connects when it is mounted, and shares what arrives with everything below it. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const [store] = useState(() => new LiveStore());
  const connection = useConnected(store);
  useAgentsOfHistory(store);
  return createElement(LiveContext.Provider, { value: { store, connection } }, children);
}

/** Return what the swarm does now; rendered anew after each flush. */
export function useEventStream(): LiveSnapshot {
  const { store } = useLiveContext();
  return useSyncExternalStore(store.subscribe, store.snapshot);
}

/** Return how fresh that is. */
export function useConnection(): Connection {
  return useLiveContext().connection;
}

function useLiveContext(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error("used outside LiveProvider");
  return live;
}

function useConnected(store: LiveStore): Connection {
  const [connection, setConnection] = useState(CONNECTING);
  useEffect(() => {
    const stream = new EventStream({
      getSession: () => traceApi.session(),
      openBus,
      sink: {
        arrived: (arrivals) => store.add(arrivals),
        restarted: (name) => store.forget(name),
        changed: setConnection,
      },
    });
    const hurry = () => stream.hurry();
    const tick = setInterval(() => store.tick(), TICK_MS);
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    void stream.run();
    return () => {
      stream.stop();
      clearInterval(tick);
      window.removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", hurry);
    };
  }, [store]);
  return connection;
}

/** Agents that said nothing lately are known from history, asked for now and then. */
function useAgentsOfHistory(store: LiveStore): void {
  useEffect(() => {
    const asked = new AbortController();
    const ask = () =>
      traceApi.agents({}, asked.signal).then(
        (answer) => store.know(answer.items),
        () => undefined, // the connection state says that the server is away; live agents are shown
      );
    void ask();
    const again = setInterval(() => void ask(), AGENTS_AGAIN_MS);
    return () => {
      asked.abort();
      clearInterval(again);
    };
  }, [store]);
}
