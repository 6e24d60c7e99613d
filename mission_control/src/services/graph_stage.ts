/**
 * The graph on its canvas: keeps the view, takes the pointer and the keys, draws when something
 * changed and at most once a frame.
 */
import { type NodeKey, SwarmGraph } from "../model/graph.ts";
import { heapAt, nodeAt } from "../model/graph_hit.ts";
import { type GraphPalette, paintGraph, RULER_HEIGHT } from "../model/graph_paint.ts";
import { isHeaped } from "../model/graph_scene.ts";
import {
  type Extent,
  fitted,
  following,
  type GraphView,
  INITIAL_VIEW,
  panned,
  resized,
  revealing,
  scrolled,
  zoomed,
} from "../model/graph_view.ts";
import { type Direction, lineageOf, neighbourOf } from "../model/graph_walk.ts";
import { safeLine } from "../model/safe_text.ts";
import { clock } from "../model/time_text.ts";
import { readPalette, watchTheme } from "./graph_palette.ts";

/** What the stage is to show. */
export interface StageContent {
  readonly graph: SwarmGraph;
  /** Ordinal after the last node that has happened at the moment shown; null: now. */
  readonly until: number | null;
  readonly selected: NodeKey | null;
}

/** Where the pointer is, over what. */
export interface Hovered {
  readonly ordinal: number;
  readonly x: number;
  readonly y: number;
}

export interface StageCallbacks {
  readonly selected: (key: NodeKey | null) => void;
  readonly hovered: (hovered: Hovered | null) => void;
  readonly followed: (isFollowing: boolean) => void;
  readonly opened: (key: NodeKey) => void;
}

const KEY_DIRECTIONS: Readonly<Record<string, Direction>> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  c: "cause",
  e: "effect",
};
const ZOOM_STEP = 1.5;
const WHEEL_ZOOM = 0.0022;
/** A pointer that moves less than this between down and up has clicked. */
const CLICK_PIXELS = 4;
const NAME_LENGTH = 60;
const WIDE_GUTTER = 136;
const NARROW_GUTTER = 76;
const NARROW_PIXELS = 560;

export class GraphStage {
  #content: StageContent = { graph: new SwarmGraph(1), until: null, selected: null };
  #view: GraphView = INITIAL_VIEW;
  #isFollowing = true;
  #hovered: number | undefined;
  #palette: GraphPalette;
  #frame = 0;
  #lanes = 0;
  #gutter = WIDE_GUTTER;
  readonly #pointers = new Map<number, { x: number; y: number }>();
  #travelled = 0;
  readonly #ended = new AbortController();
  readonly #names = new Map<string, string>();

  /** Begins to listen and to draw; `end` stops both. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly surface: HTMLElement,
    private readonly callbacks: StageCallbacks,
  ) {
    this.#palette = readPalette(surface);
    this.#listen();
    this.#resize();
  }

  end(): void {
    this.#ended.abort();
    cancelAnimationFrame(this.#frame);
  }

  /** Shows something else, or the same with more in it. */
  show(content: StageContent): void {
    const isOther = content.graph !== this.#content.graph;
    const isChosen = content.selected !== this.#content.selected && content.selected !== null;
    this.#content = content;
    if (isOther) this.#hover(undefined);
    const lanes = content.graph.lanes.length;
    if (lanes !== this.#lanes)
      this.#view = resized(this.#view, this.#view.width, this.#view.height, lanes);
    this.#lanes = lanes;
    if (this.#isFollowing) this.#view = following(this.#view, this.#extent());
    if (isChosen) this.#reveal(content.graph.ordinalOf(content.selected as NodeKey));
    this.invalidate();
  }

  zoomBy(factor: number, atPixel = this.#view.width / 2): void {
    // Zooming while following keeps the newest node where it is.
    const at = this.#isFollowing ? this.#view.width : atPixel;
    this.#view = zoomed(this.#view, factor, at, this.#extent());
    if (this.#isFollowing) this.#view = following(this.#view, this.#extent());
    this.invalidate();
  }

  zoomIn(): void {
    this.zoomBy(ZOOM_STEP);
  }

  zoomOut(): void {
    this.zoomBy(1 / ZOOM_STEP);
  }

  fit(): void {
    this.#setFollowing(false);
    this.#view = fitted(this.#view, this.#content.graph.extent);
    this.invalidate();
  }

  follow(): void {
    this.#setFollowing(true);
    this.#view = following(this.#view, this.#extent());
    this.invalidate();
  }

  /** Draws in the next frame. */
  invalidate(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    const ratio = window.devicePixelRatio || 1;
    const { graph, until, selected } = this.#content;
    const chosen = selected === null ? undefined : graph.ordinalOf(selected);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintGraph(context, {
      graph,
      view: this.#view,
      until: this.#until,
      isReplay: until !== null,
      selected: chosen,
      hovered: this.#hovered,
      lineage: chosen === undefined ? new Set() : lineageOf(graph, chosen, this.#until),
      gutter: this.#gutter,
      palette: this.#palette,
      nameOf: (agentId) => this.#nameOf(agentId),
      formatTime: (timeMs) => clock(timeMs).slice(0, 8),
    });
  }

  get #until(): number {
    return this.#content.until ?? this.#content.graph.end;
  }

  #extent(): Extent {
    const { graph } = this.#content;
    const { left, right } = graph.extent;
    const last = this.#until - 1;
    return graph.has(last) ? { left, right: graph.xOf(last) } : { left, right };
  }

  #nameOf(agentId: string): string {
    let name = this.#names.get(agentId);
    if (name === undefined) {
      if (this.#names.size > 5_000) this.#names.clear();
      name = safeLine(agentId, NAME_LENGTH);
      this.#names.set(agentId, name);
    }
    return name;
  }

  #listen(): void {
    const { signal } = this.#ended;
    const on = <Name extends keyof HTMLElementEventMap>(
      name: Name,
      act: (event: HTMLElementEventMap[Name]) => void,
      passive = true,
    ) => this.surface.addEventListener(name, act, { signal, passive });
    on("pointerdown", (event) => this.#press(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#release(event));
    on("pointercancel", (event) => this.#pointers.delete(event.pointerId));
    on("pointerleave", () => this.#hover(undefined));
    on("wheel", (event) => this.#wheel(event), false);
    on("keydown", (event) => this.#key(event), false);
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this.surface);
    const unwatch = watchTheme(() => {
      this.#palette = readPalette(this.surface);
      this.invalidate();
    });
    signal.addEventListener("abort", () => {
      observer.disconnect();
      unwatch();
    });
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.surface;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.#gutter = clientWidth < NARROW_PIXELS ? NARROW_GUTTER : WIDE_GUTTER;
    const width = Math.max(clientWidth - this.#gutter, 1);
    const height = Math.max(clientHeight - RULER_HEIGHT, 1);
    this.#view = resized(this.#view, width, height, this.#lanes);
    if (this.#isFollowing) this.#view = following(this.#view, this.#extent());
    // At once, not in the next frame: a canvas that was resized is blank until it is drawn.
    this.#draw();
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.surface.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#pointers.size === 1) this.#travelled = 0;
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) {
      this.#hover(this.#nodeUnder(event));
      return;
    }
    const spreadBefore = this.#spread();
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const share = 1 / this.#pointers.size;
    this.#travelled += Math.abs(event.clientX - before.x) + Math.abs(event.clientY - before.y);
    if (this.#travelled < CLICK_PIXELS) return;
    this.#pan((before.x - event.clientX) * share, (before.y - event.clientY) * share);
    if (spreadBefore > 0) this.zoomBy(this.#spread() / spreadBefore, this.#middle());
  }

  #release(event: PointerEvent): void {
    if (!this.#pointers.delete(event.pointerId) || this.#travelled >= CLICK_PIXELS) return;
    const found = this.#nodeUnder(event);
    const { x, y } = this.#inPlot(event);
    if (this.#isHeaped() && heapAt(this.#content.graph, this.#view, x, y, this.#until) > 1) {
      this.#setFollowing(false);
      this.zoomBy(4, x);
      return;
    }
    this.callbacks.selected(found === undefined ? null : this.#content.graph.keyOf(found));
  }

  #wheel(event: WheelEvent): void {
    const isZoom = event.ctrlKey || event.metaKey;
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const { y } = this.#view;
    if (isZoom) this.zoomBy(Math.exp(-event.deltaY * WHEEL_ZOOM), this.#inPlot(event).x);
    else if (isSideways) this.#pan(event.deltaX || event.deltaY, 0);
    else this.#view = scrolled(this.#view, event.deltaY, this.#lanes);
    // What moves nothing here scrolls the page.
    if (isZoom || isSideways || this.#view.y !== y) event.preventDefault();
    if (this.#view.y !== y) this.invalidate();
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!this.#command(event.key)) return;
    event.preventDefault();
  }

  #command(key: string): boolean {
    const direction = KEY_DIRECTIONS[key];
    if (direction !== undefined) this.#walk(direction);
    else if (key === "+" || key === "=") this.zoomIn();
    else if (key === "-") this.zoomOut();
    else if (key === "0") this.fit();
    else if (key === "f" || key === "End") this.follow();
    else if (key === "Escape") this.callbacks.selected(null);
    else if (key === "Enter") this.#open();
    else return false;
    return true;
  }

  #open(): void {
    if (this.#content.selected !== null) this.callbacks.opened(this.#content.selected);
  }

  #walk(direction: Direction): void {
    const { graph, selected } = this.#content;
    if (this.#until <= graph.first) return;
    const from = selected === null ? undefined : graph.ordinalOf(selected);
    const start = from ?? (direction === "first" ? graph.first : this.#until - 1);
    const to = from === undefined ? start : neighbourOf(graph, start, direction, this.#until);
    this.callbacks.selected(graph.keyOf(to));
  }

  #reveal(ordinal: number | undefined): void {
    const { graph } = this.#content;
    if (ordinal === undefined || !graph.has(ordinal)) return;
    const before = this.#view;
    const lane = graph.laneIndexOf(ordinal);
    this.#view = revealing(before, graph.xOf(ordinal), lane, this.#lanes);
    if (this.#view.x !== before.x) this.#setFollowing(false);
  }

  #pan(deltaX: number, deltaY: number): void {
    this.#setFollowing(false);
    this.#view = panned(this.#view, deltaX, this.#extent());
    this.#view = scrolled(this.#view, deltaY, this.#lanes);
    this.invalidate();
  }

  #setFollowing(isFollowing: boolean): void {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.callbacks.followed(isFollowing);
  }

  #isHeaped(): boolean {
    return isHeaped(this.#content.graph, this.#view, this.#until);
  }

  #nodeUnder(event: MouseEvent): number | undefined {
    const { x, y } = this.#inPlot(event);
    if (x < 0 || y < 0) return undefined;
    return nodeAt(this.#content.graph, this.#view, x, y, this.#until);
  }

  #hover(ordinal: number | undefined): void {
    if (ordinal === this.#hovered) return;
    this.#hovered = ordinal;
    this.callbacks.hovered(ordinal === undefined ? null : this.#placeOf(ordinal));
    this.invalidate();
  }

  #placeOf(ordinal: number): Hovered {
    const { graph } = this.#content;
    const x = this.#gutter + (graph.xOf(ordinal) - this.#view.x) * this.#view.scale;
    const lane = graph.laneIndexOf(ordinal);
    const y = RULER_HEIGHT + (lane + 0.5) * this.#view.laneHeight - this.#view.y;
    return { ordinal, x, y };
  }

  #inPlot(event: MouseEvent): { x: number; y: number } {
    const { left, top } = this.surface.getBoundingClientRect();
    return { x: event.clientX - left - this.#gutter, y: event.clientY - top - RULER_HEIGHT };
  }

  /** Distance between two fingers; 0 while there are not two. */
  #spread(): number {
    const [one, other] = [...this.#pointers.values()];
    if (one === undefined || other === undefined) return 0;
    return Math.hypot(one.x - other.x, one.y - other.y);
  }

  #middle(): number {
    const { left } = this.surface.getBoundingClientRect();
    const places = [...this.#pointers.values()];
    const sum = places.reduce((total, place) => total + place.x, 0);
    return sum / Math.max(places.length, 1) - left - this.#gutter;
  }
}
