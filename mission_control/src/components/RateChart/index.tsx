import "./index.css";

interface RateChartProps {
  /** Events per second, oldest first; the last second is not over. */
  readonly rate: readonly number[];
}

const BAR = 3;
const HEIGHT = 24;
const RECENT = 5;

/** Events per second over the last minute, and the number of just now. */
export function RateChart({ rate }: RateChartProps) {
  const highest = Math.max(1, ...rate);
  const now = recentRate(rate);
  const words = `${rateText(now)} events per second, at most ${highest} in the last minute`;
  return (
    <div className="rate-chart">
      <svg
        width={rate.length * BAR}
        height={HEIGHT}
        viewBox={`0 0 ${rate.length * BAR} ${HEIGHT}`}
        role="img"
        aria-label={words}
      >
        <path d={rate.map((count, index) => bar(index, count / highest)).join("")} />
      </svg>
      <span className="rate-value">{rateText(now)}</span>
      <span className="faint">events/s</span>
    </div>
  );
}

/** The mean of the last whole seconds. */
function recentRate(rate: readonly number[]): number {
  const recent = rate.slice(-1 - RECENT, -1);
  return recent.reduce((sum, count) => sum + count, 0) / (recent.length || 1);
}

function rateText(rate: number): string {
  return rate >= 10 ? Math.round(rate).toLocaleString("en") : rate.toFixed(1);
}

function bar(index: number, share: number): string {
  const height = share > 0 ? Math.max(1.5, share * HEIGHT) : 1;
  return `M${index * BAR} ${HEIGHT - height}h${BAR - 1}v${height}h${1 - BAR}z`;
}
