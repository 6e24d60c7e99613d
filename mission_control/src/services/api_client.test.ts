import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, address, getJson } from "./api_client.ts";

const answering = (status: number, body: string) =>
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status })));
const refusal = () =>
  getJson("/x").then(
    () => null,
    (error: unknown) => error as ApiError,
  );

afterEach(() => void vi.unstubAllGlobals());

describe("the API client", () => {
  it("leaves out what is not asked", () => {
    expect(address("/events", { a: "1", b: "", c: null, d: undefined, e: 0 })).toBe(
      "/api/v1/events?a=1&e=0",
    );
  });

  it("says what the server says, and what to do", async () => {
    answering(404, '{"error":{"code":"not_found","message":"no such run","fix":"swarm runs"}}');
    expect(await refusal()).toMatchObject({
      ...{ status: 404, code: "not_found", message: "no such run", fix: "swarm runs" },
    });
  });

  it("makes an error of an answer that is none of ours", async () => {
    answering(502, "<html>");
    expect(await refusal()).toBeInstanceOf(ApiError);
    expect((await refusal())?.message).toContain("502");
  });

  it("tells a server that is away from one that refuses", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
    expect(await refusal()).toMatchObject({ status: 0, code: "unreachable" });
  });
});
