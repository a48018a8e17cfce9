import { createContext, runInContext } from 'node:vm';
import { rolldown } from 'rolldown';

const entry = '\0entry';

/**
 * Bundles a module for browsers: one classic script, every import inlined. Whatever is not found
 * there, `node:` modules above all, is an error and not something "external".
 *
 * @param cwd where the names of packages resolve
 */
export async function bundleForBrowser(code: string, cwd: string): Promise<string> {
  const bundle = await rolldown({
    input: entry,
    cwd,
    platform: 'browser',
    logLevel: 'warn',
    onLog(_level, log) {
      throw new Error(log.message);
    },
    plugins: [
      {
        name: 'entry',
        resolveId(id, importer) {
          if (id === entry) return id;
          // The entry is no file: what it imports is looked up from cwd.
          return importer === entry ? this.resolve(id, `${cwd}/entry.js`) : undefined;
        },
        load: (id) => (id === entry ? code : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'bundle' });
  await bundle.close();
  return output[0].code;
}

/**
 * What browsers have beyond the language, and our packages may use: made inside the context, so that
 * arrays of bytes are of its own realm.
 */
const platform = `(outside) => {
  'use strict';
  globalThis.TextEncoder = class {
    encode(text) { return new Uint8Array(outside.encode(text)); }
  };
  globalThis.TextDecoder = class {
    #label; #options;
    constructor(label, options) { this.#label = label; this.#options = { ...options }; }
    decode(bytes) { return outside.decode(this.#label, this.#options, bytes); }
  };
  globalThis.crypto = { getRandomValues: (bytes) => bytes.map(outside.randomByte) };
  globalThis.performance = { now: () => outside.now() };
  globalThis.console = { log: (...words) => { outside.print(words.join(' ')); } };
}`;

/** Runs a script where there is no process, Buffer, require or import. Returns what it prints. */
export function runLikeBrowser(script: string): string {
  const printed: string[] = [];
  const outside = {
    encode: (text: string) => new TextEncoder().encode(text),
    decode: (label: string, options: object, bytes: Uint8Array) =>
      new TextDecoder(label, options).decode(bytes),
    randomByte: () => Math.floor(Math.random() * 256),
    now: () => performance.now(),
    print: (line: string) => printed.push(`${line}\n`),
  };
  const context = createContext();
  const prepare = runInContext(platform, context) as (given: typeof outside) => void;
  prepare(outside);
  runInContext(script, context, { timeout: 60_000 });
  return printed.join('');
}
