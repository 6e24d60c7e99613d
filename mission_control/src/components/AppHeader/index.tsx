import "./index.css";
import { Link, useLocation } from "../../router.tsx";
import { ConnectionState } from "../ConnectionState/index.tsx";
import { ThemeSwitch } from "../ThemeSwitch/index.tsx";

const PLACES = [
  ["/", "Swarm"],
  ["/runs", "Runs"],
  ["/debug", "Traces"],
  ["/sql", "SQL"],
  ["/health", "Health"],
] as const;

/** Name, navigation, and how fresh is what you see. */
export function AppHeader() {
  const { pathname } = useLocation();
  return (
    <header className="app-header">
      <Link href="/" className="app-name" aria-label="Enchanted Swarm, mission control">
        <Mark />
        <span>Enchanted Swarm</span>
      </Link>
      <nav aria-label="Pages" className="app-nav">
        {PLACES.map(([href, name]) => (
          <Link key={href} href={href} aria-current={isAt(pathname, href) ? "page" : undefined}>
            {name}
          </Link>
        ))}
      </nav>
      <div className="app-header-end">
        <ConnectionState />
        <ThemeSwitch />
      </div>
    </header>
  );
}

function isAt(pathname: string, href: string): boolean {
  return href === "/" ? pathname === "/" : pathname === href || pathname.startsWith(`${href}/`);
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeWidth="2">
        <path d="M16 16 7 8M16 16l10-6M16 16l-7 9M16 16l9 8" />
      </g>
      <g fill="currentColor">
        <circle cx="16" cy="16" r="5" />
        <circle cx="7" cy="8" r="3" />
        <circle cx="26" cy="10" r="3" />
        <circle cx="9" cy="25" r="3" />
        <circle cx="25" cy="24" r="3" />
      </g>
    </svg>
  );
}
