import { Component, type ReactNode } from "react";
import { ErrorNotice } from "../Notice/index.tsx";

interface State {
  readonly error: unknown;
}

/** Keeps a page that fails from taking the others down, and says what went wrong. */
export class PageErrors extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return <ErrorNotice error={error} retry={() => window.location.reload()} />;
  }
}
