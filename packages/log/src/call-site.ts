/** A frame of V8 "at Foo.bar [as x] (url:3:7)", or elsewhere "bar@url:3:7". */
const frame = /^(?:\s*at (?:async |new )*(?:(.*) \()?|([^@]*)@).*?:(\d+):\d+\)?$/;

/**
 * `FUNC:LINE` of the function that called the one that asks, `above` calls further out. Costs a
 * stack trace: for errors and debugging. `unknown:0` where stacks have another form.
 */
export function callSite(above = 0): string {
  const frames = (new Error().stack ?? '')
    .split('\n')
    .map((line) => frame.exec(line))
    .filter((found) => found !== null);
  // The first two are this function and the one that asks.
  const found = frames[above + 2];
  if (found === undefined) return 'unknown:0';
  const [, v8 = '', other = '', line = '0'] = found;
  const name = /([\w$]+)$/.exec((v8 || other).replace(/ \[as .*/, ''))?.[1];
  return `${name ?? 'anonymous'}:${line}`;
}
