import "./index.css";
import { readPreference, usePreference } from "../../hooks/usePreference.ts";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const NAMES: Readonly<Record<Theme, string>> = { system: "Auto", light: "Light", dark: "Dark" };

/** Set the stored theme before the first paint. */
export function applyStoredTheme(): void {
  const stored = readPreference("theme");
  setTheme(THEMES.find((theme) => theme === stored) ?? "system");
}

/** The choice between light, dark, and what the system says. */
export function ThemeSwitch() {
  const [theme, choose] = usePreference<Theme>("theme", THEMES, "system");
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const change = () => {
    setTheme(next);
    choose(next);
  };
  return (
    <button
      type="button"
      className="quiet theme-switch"
      onClick={change}
      aria-label={`Colours: ${NAMES[theme]}. Change to ${NAMES[next]}`}
      title={`Colours: ${NAMES[theme]}`}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.5" />
        {theme === "light" ? null : (
          <path
            d={theme === "dark" ? "M8 2a6 6 0 1 0 0 12 6 6 0 0 0 0-12" : "M8 2a6 6 0 0 1 0 12z"}
            fill="currentColor"
          />
        )}
      </svg>
    </button>
  );
}

function setTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset["theme"];
  else dataset["theme"] = theme;
  // Whoever paints by hand (canvas) looks the colours up again.
  window.dispatchEvent(new Event("themechange"));
}
