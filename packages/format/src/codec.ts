import { compile } from './codec-compiled.ts';
import { interpret } from './codec-interpreted.ts';
import type { Codec, Layout } from './layout.ts';

/** False where a content security policy forbids code from strings; known after the first try. */
let mayCompile = true;

/** As fast as code written by hand where code may be made of strings, slower elsewhere. */
export function makeCodec<T>(layout: Layout): Codec<T> {
  if (mayCompile) {
    try {
      return compile<T>(layout);
    } catch (error) {
      if (!(error instanceof EvalError)) throw error;
      mayCompile = false;
    }
  }
  return interpret<T>(layout);
}
