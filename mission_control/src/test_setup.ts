/** What jsdom lacks is added here, when a test needs it. */
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);
