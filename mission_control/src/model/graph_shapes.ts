/**
 * The shape of each sort of event, as corners around a middle: on the canvas and in the legend.
 *
 * Colour is never the only sign; an error wears a cross on top of its own shape.
 */
import { CATEGORY, type Category } from "./event_category.ts";

type Corner = readonly [number, number];

/** Corners in a square from -1 to 1; none: a disc. */
const CORNERS: Readonly<Record<Category, readonly Corner[]>> = {
  [CATEGORY.decision]: [
    [0, -1.15],
    [1.15, 0],
    [0, 1.15],
    [-1.15, 0],
  ],
  [CATEGORY.change]: [
    [-0.85, -0.85],
    [0.85, -0.85],
    [0.85, 0.85],
    [-0.85, 0.85],
  ],
  [CATEGORY.signal]: [],
  [CATEGORY.tool]: [
    [0, -1.05],
    [1.05, 0.85],
    [-1.05, 0.85],
  ],
  [CATEGORY.model]: [],
  [CATEGORY.work]: [
    [-0.9, -0.8],
    [0.2, -0.8],
    [1.1, 0],
    [0.2, 0.8],
    [-0.9, 0.8],
  ],
  [CATEGORY.other]: [],
};

/** Radius of discs: signals are many and matter least. */
const DISCS: Readonly<Partial<Record<Category, number>>> = { [CATEGORY.model]: 0.95 };
const SMALL_DISC = 0.6;

/** Adds a shape to a path. */
export function traceShape(
  path: CanvasPath,
  category: Category,
  x: number,
  y: number,
  radius: number,
): void {
  const corners = CORNERS[category];
  if (corners.length === 0) {
    const disc = radius * (DISCS[category] ?? SMALL_DISC);
    path.moveTo(x + disc, y);
    path.arc(x, y, disc, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], index) => {
    if (index === 0) path.moveTo(x + dx * radius, y + dy * radius);
    else path.lineTo(x + dx * radius, y + dy * radius);
  });
  path.closePath();
}

/** Adds the cross that marks an error. */
export function traceCross(path: CanvasPath, x: number, y: number, radius: number): void {
  path.moveTo(x - radius, y - radius);
  path.lineTo(x + radius, y + radius);
  path.moveTo(x + radius, y - radius);
  path.lineTo(x - radius, y + radius);
}

/** The shape as the `d` of an SVG path, around the middle of a box of 16. */
export function svgShape(category: Category): string {
  const corners = CORNERS[category];
  if (corners.length === 0) {
    const disc = 6 * (DISCS[category] ?? SMALL_DISC);
    return `M${8 + disc} 8a${disc} ${disc} 0 1 1 ${-2 * disc} 0a${disc} ${disc} 0 1 1 ${2 * disc} 0z`;
  }
  return `M${corners.map(([dx, dy]) => `${8 + dx * 6} ${8 + dy * 6}`).join("L")}z`;
}
