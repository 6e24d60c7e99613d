import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server sends `script-src 'self'; style-src 'self'`: nothing may be inlined into the page.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "server/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    sourcemap: false,
    reportCompressedSize: true,
  },
  test: {
    restoreMocks: true,
    projects: [
      {
        // Most of it is pure: no page is made up for it, and its files share one process.
        extends: true,
        test: {
          name: "pure",
          environment: "node",
          include: ["src/**/*.test.ts"],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "page",
          environment: "jsdom",
          include: ["src/**/*.test.tsx"],
          setupFiles: ["src/test_setup.ts"],
        },
      },
    ],
  },
});
