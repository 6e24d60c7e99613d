import "./index.css";
import type { ReactNode } from "react";
import { ApiError } from "../../services/api_client.ts";

interface EmptyProps {
  readonly title: string;
  readonly children?: ReactNode;
}

/** Nothing is here, and that is no fault: says why, and what would bring something. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div className="notice notice-empty">
      <p className="notice-title">{title}</p>
      {children ? <div className="notice-body">{children}</div> : null}
    </div>
  );
}

/** Something is on its way; `what` names it. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <div className="notice notice-loading" role="status">
      <span className="notice-bars" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <p className="notice-body">Loading {what}…</p>
    </div>
  );
}

interface ErrorNoticeProps {
  readonly error: unknown;
  readonly retry?: () => void;
}

/** Something failed: what, and what to do about it. */
export function ErrorNotice({ error, retry }: ErrorNoticeProps) {
  const message = error instanceof Error ? error.message : String(error);
  const fix = error instanceof ApiError ? error.fix : "";
  return (
    <div className="notice notice-error" role="alert">
      <p className="notice-title untrusted">{message}</p>
      {fix ? <p className="notice-body untrusted">{fix}</p> : null}
      {retry ? (
        <button type="button" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}
