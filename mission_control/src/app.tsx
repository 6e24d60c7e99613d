import "./app.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, lazy, Suspense, useEffect, useRef } from "react";
import { AppHeader } from "./components/AppHeader/index.tsx";
import { Empty, Loading } from "./components/Notice/index.tsx";
import { PageErrors } from "./components/PageErrors/index.tsx";
import { LiveProvider } from "./hooks/useEventStream.ts";
import { Link, matchPath, useLocation } from "./router.tsx";
import { ApiError } from "./services/api_client.ts";

export type PageProps = { readonly params: Readonly<Record<string, string>> };

const ROUTES: readonly (readonly [string, ComponentType<PageProps>])[] = [
  ["/", lazy(() => import("./pages/index/index.tsx"))],
  ["/runs", lazy(() => import("./pages/runs/index.tsx"))],
  ["/runs/:runId", lazy(() => import("./pages/run/index.tsx"))],
  ["/debug", lazy(() => import("./pages/debug/index.tsx"))],
  ["/debug/:traceId", lazy(() => import("./pages/debug/index.tsx"))],
  ["/sql", lazy(() => import("./pages/sql/index.tsx"))],
  ["/health", lazy(() => import("./pages/health/index.tsx"))],
];

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => isPassing(error) && failures < 3,
    },
  },
});

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <LiveProvider>
        <a className="skip-link" href="#main">
          Skip to content
        </a>
        <AppHeader />
        <PageOfAddress />
      </LiveProvider>
    </QueryClientProvider>
  );
}

function PageOfAddress() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    // Keyboard and screen reader follow to the new page, as they would after a page load.
    if (shown.current !== pathname) main.current?.focus();
    shown.current = pathname;
  }, [pathname]);
  return (
    <main id="main" ref={main} tabIndex={-1} className="app-main">
      <PageErrors key={pathname}>
        <Suspense fallback={<Loading what="the page" />}>{pageAt(pathname)}</Suspense>
      </PageErrors>
    </main>
  );
}

function pageAt(pathname: string) {
  for (const [pattern, Page] of ROUTES) {
    const params = matchPath(pattern, pathname);
    if (params) return <Page params={params} />;
  }
  return (
    <Empty title="There is no such page">
      <Link href="/">Back to the swarm</Link>
    </Empty>
  );
}

/** A refusal will not change by asking again; a server that starts will. */
function isPassing(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 0 || error.status >= 500;
}
