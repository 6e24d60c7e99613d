/**
 * Draws one frame of the graph on a canvas: lanes, then causes, then events, then names.
 *
 * Everything of one colour is gathered into one path: a frame costs a few strokes and fills,
 * however many nodes there are.
 */
import type { Milliseconds } from "../types/units.ts";
import { barHeight } from "./density.ts";
import { CATEGORY, CATEGORY_NAMES, type Category } from "./event_category.ts";
import type { SwarmGraph } from "./graph.ts";
import { drawEdge, drawScene, type GraphSink, type Heap } from "./graph_scene.ts";
import { traceCross, traceShape } from "./graph_shapes.ts";
import { type GraphView, laneAtPixel, pixelOfLane, pixelOfX } from "./graph_view.ts";

/** Height of the row of times above the plot. */
export const RULER_HEIGHT = 20;

/** Colours, and the typeface, as the style sheet resolves them. */
export interface GraphPalette {
  readonly surface: string;
  readonly stripe: string;
  readonly line: string;
  readonly text: string;
  readonly faint: string;
  readonly accent: string;
  readonly error: string;
  readonly font: string;
  readonly categories: Readonly<Record<Category, string>>;
  readonly roles: Readonly<Record<string, string>>;
}

export interface GraphFrame {
  readonly graph: SwarmGraph;
  readonly view: GraphView;
  /** Ordinal after the last node that has happened at the moment shown. */
  readonly until: number;
  /** Whether the moment is a past one, and is marked. */
  readonly isReplay: boolean;
  readonly selected: number | undefined;
  readonly hovered: number | undefined;
  /** Nodes that led to the selected one, or followed from it. */
  readonly lineage: ReadonlySet<number>;
  /** Width of the names on the left. */
  readonly gutter: number;
  readonly palette: GraphPalette;
  /** Names of agents made safe to show; times as this reader writes them. */
  readonly nameOf: (agentId: string) => string;
  readonly formatTime: (timeMs: Milliseconds) => string;
}

/** How far apart times stand on the ruler, pixels. */
const TICK_PIXELS = 110;
const LARGEST_RADIUS = 6;
const CATEGORIES = CATEGORY_NAMES.map((name) => CATEGORY[name]);

/** Draws the frame; the context is scaled so that a unit is a CSS pixel. */
export function paintGraph(context: CanvasRenderingContext2D, frame: GraphFrame): void {
  const { view, gutter, palette } = frame;
  context.clearRect(0, 0, gutter + view.width, RULER_HEIGHT + view.height);
  paintStripes(context, frame);
  context.save();
  context.beginPath();
  context.rect(gutter, 0, view.width, RULER_HEIGHT + view.height);
  context.clip();
  paintRuler(context, frame);
  context.translate(gutter, RULER_HEIGHT);
  paintPlot(context, frame);
  context.restore();
  paintNames(context, frame);
  context.fillStyle = palette.line;
  context.fillRect(gutter - 0.5, 0, 1, RULER_HEIGHT + view.height);
}

/** Radius of a node in a view: as large as its lane lets it be. */
export function nodeRadius(view: GraphView): number {
  return Math.min(view.laneHeight * 0.26, LARGEST_RADIUS);
}

function paintPlot(context: CanvasRenderingContext2D, frame: GraphFrame): void {
  const { graph, view, until, palette } = frame;
  if (frame.isReplay && until > graph.first && until < graph.end) paintMoment(context, frame);
  const gathered = new Gathered(frame);
  context.save();
  context.beginPath();
  context.rect(0, 0, view.width, view.height);
  context.clip();
  drawScene(graph, view, until, gathered);
  stroke(context, gathered.joins, palette.line, nodeRadius(view) * 2.6, "round");
  const isTracing = frame.lineage.size > 1;
  context.globalAlpha = isTracing ? 0.25 : 0.6;
  stroke(context, gathered.edges, palette.faint, 1, "butt");
  context.globalAlpha = 1;
  if (isTracing) stroke(context, lineagePath(frame), palette.accent, 2, "butt");
  for (const category of CATEGORIES) {
    context.fillStyle = palette.categories[category];
    context.fill(gathered.shapes[category]);
  }
  context.fillStyle = palette.error;
  context.fill(gathered.failures);
  stroke(context, gathered.crosses, palette.error, 2, "round");
  paintChosen(context, frame);
  context.restore();
}

/** What the scene tells, sorted by colour. */
class Gathered implements GraphSink {
  readonly joins = new Path2D();
  readonly edges = new Path2D();
  readonly crosses = new Path2D();
  readonly failures = new Path2D();
  readonly shapes: Readonly<Record<Category, Path2D>>;
  private readonly radius: number;

  constructor(private readonly frame: GraphFrame) {
    this.radius = nodeRadius(frame.view);
    this.shapes = Object.fromEntries(
      CATEGORIES.map((category) => [category, new Path2D()]),
    ) as Record<Category, Path2D>;
  }

  node(ordinal: number, x: number, y: number): void {
    const { graph } = this.frame;
    traceShape(
      this.shapes[graph.categoryOf(ordinal)],
      graph.categoryOf(ordinal),
      x,
      y,
      this.radius,
    );
    if (graph.isErrorAt(ordinal)) traceCross(this.crosses, x, y, this.radius * 1.35);
  }

  heap({ x, y, width, count, errors, decisions, changes }: Heap): void {
    const room = this.frame.view.laneHeight * 0.8;
    const height = Math.max(barHeight(Math.min(count, 64), 64) * room, 2);
    const bottom = y + room / 2;
    const sorts = [
      [CATEGORY.decision, decisions],
      [CATEGORY.change, changes],
      [CATEGORY.other, count - decisions - changes],
    ] as const;
    let base = bottom;
    for (const [category, share] of sorts) {
      const part = (share / count) * height;
      this.shapes[category].rect(x, base - part, Math.max(width - 1, 1), part);
      base -= part;
    }
    // An error stands out however few they are among the many: a flag at the upper end.
    if (errors > 0) traceFlag(this.failures, x, y - room / 2, Math.max(width - 1, 3));
  }

  join(fromX: number, toX: number, y: number): void {
    this.joins.moveTo(fromX, y);
    this.joins.lineTo(toX, y);
  }

  edge(fromX: number, fromY: number, toX: number, toY: number): void {
    traceEdge(this.edges, fromX, fromY, toX, toY, this.radius);
  }
}

function traceFlag(path: CanvasPath, x: number, y: number, width: number): void {
  path.moveTo(x, y);
  path.lineTo(x + width, y);
  path.lineTo(x + width / 2, y + 6);
  path.closePath();
}

function traceEdge(
  path: CanvasPath,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  radius: number,
): void {
  const bend = Math.min(Math.max((toX - fromX) / 2, 8), 60);
  path.moveTo(fromX, fromY);
  if (fromY === toY) {
    path.quadraticCurveTo((fromX + toX) / 2, fromY - radius * 3.5, toX, toY);
    return;
  }
  path.bezierCurveTo(fromX + bend, fromY, toX - bend, toY, toX, toY);
}

function lineagePath({ graph, view, lineage, until }: GraphFrame): Path2D {
  const path = new Path2D();
  const radius = nodeRadius(view);
  const sink: Pick<GraphSink, "edge"> = {
    edge: (fromX, fromY, toX, toY) => traceEdge(path, fromX, fromY, toX, toY, radius),
  };
  for (const effect of lineage) {
    for (const cause of graph.causesOf(effect)) {
      if (lineage.has(cause) && cause < until) drawEdge(graph, view, cause, effect, sink);
    }
  }
  return path;
}

function paintStripes(context: CanvasRenderingContext2D, frame: GraphFrame): void {
  const { graph, view, gutter, palette } = frame;
  context.save();
  context.beginPath();
  context.rect(0, RULER_HEIGHT, gutter + view.width, view.height);
  context.clip();
  context.fillStyle = palette.stripe;
  for (const lane of lanesInSight(graph, view)) {
    if (lane % 2 === 0) continue;
    const top = RULER_HEIGHT + lane * view.laneHeight - view.y;
    context.fillRect(0, top, gutter + view.width, view.laneHeight);
  }
  context.restore();
}

function paintRuler(context: CanvasRenderingContext2D, frame: GraphFrame): void {
  const { graph, view, until, gutter, palette } = frame;
  context.font = `11px ${palette.font}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  const every = 2 ** Math.ceil(Math.log2(TICK_PIXELS / view.scale));
  const last = view.x + view.width / view.scale;
  for (let x = Math.floor(view.x / every) * every; x <= last; x += every) {
    const ordinal = graph.firstAtOrAfter(x);
    if (ordinal >= until || graph.xOf(ordinal) >= x + every) continue;
    const pixel = Math.round(gutter + pixelOfX(view, graph.xOf(ordinal)));
    if (pixel < gutter) continue;
    context.fillStyle = palette.line;
    context.fillRect(pixel, RULER_HEIGHT - 5, 1, view.height + 5);
    context.fillStyle = palette.faint;
    context.fillText(frame.formatTime(graph.timeOf(ordinal)), pixel + 4, RULER_HEIGHT / 2);
  }
}

function paintMoment(context: CanvasRenderingContext2D, frame: GraphFrame): void {
  const { graph, view, until, palette } = frame;
  const x = Math.round(pixelOfX(view, graph.xOf(until - 1)));
  context.fillStyle = palette.accent;
  context.fillRect(x - 0.5, -RULER_HEIGHT, 1, view.height + RULER_HEIGHT);
}

function paintChosen(context: CanvasRenderingContext2D, frame: GraphFrame): void {
  const { selected, hovered, palette } = frame;
  if (hovered !== undefined && hovered !== selected) ring(context, frame, hovered, palette.faint);
  if (selected !== undefined) ring(context, frame, selected, palette.accent);
}

function ring(
  context: CanvasRenderingContext2D,
  { graph, view, until }: GraphFrame,
  ordinal: number,
  colour: string,
): void {
  if (!graph.has(ordinal) || ordinal >= until) return;
  const path = new Path2D();
  const x = pixelOfX(view, graph.xOf(ordinal));
  path.arc(x, pixelOfLane(view, graph.laneIndexOf(ordinal)), nodeRadius(view) + 4, 0, 2 * Math.PI);
  stroke(context, path, colour, 2, "butt");
}

function paintNames(context: CanvasRenderingContext2D, frame: GraphFrame): void {
  const { graph, view, gutter, palette } = frame;
  context.save();
  context.beginPath();
  context.rect(0, RULER_HEIGHT, gutter, view.height);
  context.clip();
  context.font = `${view.laneHeight < 18 ? 10 : 12}px ${palette.font}`;
  context.textBaseline = "middle";
  for (const index of lanesInSight(graph, view)) {
    const lane = graph.lanes[index];
    if (lane === undefined) continue;
    const y = RULER_HEIGHT + pixelOfLane(view, index);
    context.fillStyle = palette.roles[lane.role] ?? palette.faint;
    context.fillRect(4, y - view.laneHeight * 0.3, 3, view.laneHeight * 0.6);
    context.fillStyle = palette.text;
    context.fillText(shortened(context, frame.nameOf(lane.agentId), gutter - 20), 12, y + 0.5);
  }
  context.restore();
}

function lanesInSight(graph: SwarmGraph, view: GraphView): readonly number[] {
  const first = Math.max(laneAtPixel(view, 0), 0);
  const last = Math.min(laneAtPixel(view, view.height), graph.lanes.length - 1);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, index) => first + index);
}

/** Cuts the middle out: names of agents differ at their ends. */
function shortened(context: CanvasRenderingContext2D, name: string, width: number): string {
  if (context.measureText(name).width <= width) return name;
  let kept = Math.min(name.length - 1, 40);
  const cut = () => `${name.slice(0, Math.ceil(kept / 2))}…${name.slice(-Math.floor(kept / 2))}`;
  while (kept > 2 && context.measureText(cut()).width > width) kept -= 1;
  return cut();
}

function stroke(
  context: CanvasRenderingContext2D,
  path: Path2D,
  colour: string,
  width: number,
  cap: CanvasLineCap,
): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = cap;
  context.stroke(path);
}
