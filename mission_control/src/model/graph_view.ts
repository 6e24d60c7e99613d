/** Which part of the graph is seen: pure functions from a view to a view. */

export interface GraphView {
  /** Units of the picture at the left edge of the plot. */
  readonly x: number;
  /** Pixels that are scrolled away above. */
  readonly y: number;
  /** Pixels per unit. */
  readonly scale: number;
  readonly laneHeight: number;
  /** Of the plot, without the names of the lanes; pixels. */
  readonly width: number;
  readonly height: number;
}

export interface Extent {
  readonly left: number;
  readonly right: number;
}

export const USUAL_SCALE = 22;
const LARGEST_SCALE = 96;
const SMALLEST_SCALE = 0.000_1;
/** Room right of the newest node when following, pixels. */
const RIGHT_MARGIN = 28;
const LEFT_MARGIN = 16;
const LOWEST_LANE = 14;
const HIGHEST_LANE = 60;

export const INITIAL_VIEW: GraphView = {
  x: 0,
  y: 0,
  scale: USUAL_SCALE,
  laneHeight: HIGHEST_LANE,
  width: 1,
  height: 1,
};

/** Fits the lanes into a new size, as long as they stay readable. */
export function resized(view: GraphView, width: number, height: number, lanes: number): GraphView {
  const room = height / Math.max(lanes, 1);
  const laneHeight = Math.min(Math.max(room, LOWEST_LANE), HIGHEST_LANE);
  return scrolled({ ...view, width, height, laneHeight }, 0, lanes);
}

/** Scrolls the lanes, not further than they reach. */
export function scrolled(view: GraphView, deltaY: number, lanes: number): GraphView {
  const hidden = Math.max(lanes * view.laneHeight - view.height, 0);
  return { ...view, y: Math.min(Math.max(view.y + deltaY, 0), hidden) };
}

/** Moves by pixels; some of the picture always stays in sight. */
export function panned(view: GraphView, deltaX: number, extent: Extent): GraphView {
  const half = view.width / view.scale / 2;
  const x = view.x + deltaX / view.scale;
  return { ...view, x: Math.min(Math.max(x, extent.left - half), extent.right - half) };
}

/** Changes the scale and keeps what is under a pixel of the plot where it is. */
export function zoomed(
  view: GraphView,
  factor: number,
  atPixel: number,
  extent: Extent,
): GraphView {
  const smallest = Math.min(fittingScale(view, extent), USUAL_SCALE);
  const scale = Math.min(Math.max(view.scale * factor, smallest), LARGEST_SCALE);
  const x = view.x + atPixel / view.scale - atPixel / scale;
  return { ...view, scale, x };
}

/** Shows the newest node at the right edge; what fits is shown from the left. */
export function following(view: GraphView, extent: Extent): GraphView {
  const x = extent.right - (view.width - RIGHT_MARGIN) / view.scale;
  return { ...view, x: Math.max(x, extent.left - LEFT_MARGIN / view.scale) };
}

/** Shows all that there is. */
export function fitted(view: GraphView, extent: Extent): GraphView {
  const scale = Math.min(fittingScale(view, extent), USUAL_SCALE);
  return { ...view, scale, x: extent.left - LEFT_MARGIN / scale };
}

/** Moves as little as needed to see a point. */
export function revealing(view: GraphView, x: number, lane: number, lanes: number): GraphView {
  const pixel = (x - view.x) * view.scale;
  const margin = Math.min(40, view.width / 4);
  let shift = 0;
  if (pixel < margin) shift = pixel - margin;
  if (pixel > view.width - margin) shift = pixel - view.width + margin;
  const top = lane * view.laneHeight - view.y;
  const below = top + view.laneHeight - view.height;
  const shiftY = top < 0 ? top : Math.max(below, 0);
  return scrolled({ ...view, x: view.x + shift / view.scale }, shiftY, lanes);
}

export function pixelOfX(view: GraphView, x: number): number {
  return (x - view.x) * view.scale;
}

/** Middle of a lane, pixels from the top. */
export function pixelOfLane(view: GraphView, lane: number): number {
  return (lane + 0.5) * view.laneHeight - view.y;
}

export function laneAtPixel(view: GraphView, pixel: number): number {
  return Math.floor((pixel + view.y) / view.laneHeight);
}

function fittingScale(view: GraphView, extent: Extent): number {
  const room = Math.max(view.width - LEFT_MARGIN - RIGHT_MARGIN, 1);
  return Math.max(room / Math.max(extent.right - extent.left, 1), SMALLEST_SCALE);
}
