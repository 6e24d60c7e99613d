import "./index.css";
import { type ReactNode, useEffect } from "react";

interface PageFrameProps {
  /** Name of the page: its heading, and the title of the tab. */
  readonly title: string;
  /** What stands beside the heading. */
  readonly beside?: ReactNode;
  readonly children: ReactNode;
}

/** A page with its heading; the index page has a frame of its own. */
export function PageFrame({ title, beside, children }: PageFrameProps) {
  useEffect(() => {
    document.title = `${title} · Enchanted Swarm`;
  }, [title]);
  return (
    <div className="page-frame">
      <header className="page-frame-head">
        <h1 className="untrusted">{title}</h1>
        {beside}
      </header>
      {children}
    </div>
  );
}
