/** The colours of the style sheet as a canvas can use them. */

import type { DensityPalette } from "../model/density_paint.ts";
import { CATEGORY } from "../model/event_category.ts";
import type { GraphPalette } from "../model/graph_paint.ts";

const ROLES = ["ARCHITECT", "CODER", "REVIEWER", "OPERATOR", "UNSPECIFIED"] as const;

/** Reads the colours that hold inside an element now; they change with the theme. */
export function readPalette(inside: HTMLElement): GraphPalette {
  return withColours(inside, (colour, font) => ({
    surface: colour("--surface"),
    stripe: colour("--graph-stripe"),
    line: colour("--line"),
    text: colour("--text"),
    faint: colour("--text-faint"),
    accent: colour("--accent"),
    error: colour("--bad"),
    font,
    categories: {
      [CATEGORY.decision]: colour("--graph-decision"),
      [CATEGORY.change]: colour("--graph-change"),
      [CATEGORY.signal]: colour("--graph-signal"),
      [CATEGORY.tool]: colour("--graph-tool"),
      [CATEGORY.model]: colour("--graph-model"),
      [CATEGORY.work]: colour("--graph-work"),
      [CATEGORY.other]: colour("--graph-other"),
    },
    roles: Object.fromEntries(ROLES.map((role) => [role, colour(`--role-${role.toLowerCase()}`)])),
  }));
}

export function readDensityPalette(inside: HTMLElement): DensityPalette {
  return withColours(inside, (colour) => ({
    decision: colour("--graph-decision"),
    change: colour("--graph-change"),
    other: colour("--graph-other"),
    error: colour("--bad"),
  }));
}

function withColours<Palette>(
  inside: HTMLElement,
  read: (colour: (name: string) => string, font: string) => Palette,
): Palette {
  const probe = document.createElement("span");
  inside.append(probe);
  // A variable reads as it was written, `light-dark(...)`; a colour reads as what it is.
  const colour = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = read(colour, getComputedStyle(probe).fontFamily);
  probe.remove();
  return palette;
}

/** Calls back when the theme changes, by choice or by the system's; returns the way to end that. */
export function watchTheme(changed: () => void): () => void {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = new MutationObserver(changed);
  chosen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  dark.addEventListener("change", changed);
  return () => {
    chosen.disconnect();
    dark.removeEventListener("change", changed);
  };
}
