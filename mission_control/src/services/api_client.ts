/** The one place that calls the dashboard's HTTP API. */

const API = "/api/v1";

/** What the API answers instead of what was asked for. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    /** Short word for the kind of error. */
    readonly code: string,
    message: string,
    /** What to do about it; empty where nobody knows. */
    readonly fix: string,
  ) {
    super(message);
  }
}

type QueryValue = string | number | boolean | null | undefined;
/** Parameters by name; those of a list are given one by one. */
export type Query = Readonly<Record<string, QueryValue | readonly string[]>>;

/** GET a JSON answer; parameters that are empty, null or undefined are left out. */
export function getJson<Answer>(
  path: string,
  query: Query = {},
  signal?: AbortSignal,
): Promise<Answer> {
  return ask<Answer>(address(path, query), signal ? { signal } : {});
}

/** POST JSON and return the JSON answer. */
export function postJson<Answer>(
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  return ask<Answer>(address(path, {}), signal ? { ...init, signal } : init);
}

/** GET text, such as the content of a file. */
export async function getText(
  path: string,
  query: Query = {},
  signal?: AbortSignal,
): Promise<string> {
  const response = await reach(address(path, query), signal ? { signal } : {});
  return response.text();
}

/** Return the address of an API path, for links. */
export function address(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) given.append(name, String(one));
    else if (value !== null && value !== undefined && value !== "") given.set(name, String(value));
  }
  const text = given.toString();
  return `${API}${path}${text ? `?${text}` : ""}`;
}

async function ask<Answer>(url: string, init: RequestInit): Promise<Answer> {
  const response = await reach(url, init);
  return (await response.json()) as Answer;
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(
      0,
      "unreachable",
      "The dashboard's server does not answer",
      "Start it with: swarm up",
    );
  }
  if (response.ok) return response;
  throw await refusal(response);
}

async function refusal(response: Response): Promise<ApiError> {
  const said: unknown = await response.json().catch(() => null);
  const { code, message, fix } = errorFields(said);
  return new ApiError(
    response.status,
    code || "refused",
    message || `The server answered ${response.status} ${response.statusText}`.trim(),
    fix ||
      (response.status === 401 ? "Open the link that `swarm up` or `swarm status` prints" : ""),
  );
}

function errorFields(said: unknown): { code: string; message: string; fix: string } {
  const error = (said as { error?: Record<string, unknown> } | null)?.error ?? {};
  const text = (name: string) => (typeof error[name] === "string" ? error[name] : "");
  return { code: text("code"), message: text("message"), fix: text("fix") };
}
