import { describe, expect, it } from 'vitest';
import { lineOf, Live } from './live.ts';

const progress = { campaign: 'decode', executions: 123456, findings: 1, ms: 6000 };

describe('a line of statistics', () => {
  it('says what was done', () => {
    expect(lineOf(progress).replaceAll(/ {2,}/g, ' | ')).toBe(
      'decode | 123,456 executions | 20,576/s | 1 finding | 6.0 s',
    );
    expect(lineOf({ ...progress, findings: 0, ms: 0 })).toContain('no findings');
  });

  it('changes on a terminal', async () => {
    const written: string[] = [];
    const live = new Live({ isTTY: true, write: (text) => written.push(text) });
    live.begin(() => progress);
    await new Promise((resolve) => setTimeout(resolve, 500));
    live.end({ ...progress, findings: 2 });
    expect(written.length).toBeGreaterThanOrEqual(3);
    expect(written[0]?.startsWith('\r\x1b[Kdecode')).toBe(true);
    expect(written.at(-1)).toMatch(/2 findings.*\n$/);
  });

  it('is the last one elsewhere', async () => {
    const written: string[] = [];
    const live = new Live({ write: (text) => written.push(text) });
    live.begin(() => progress);
    await new Promise((resolve) => setTimeout(resolve, 300));
    live.end(progress);
    expect(written).toEqual([`${lineOf(progress)}\n`]);
  });
});
