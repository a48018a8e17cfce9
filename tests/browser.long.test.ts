import { describe, expect, it } from 'vitest';
import { bundleForBrowser, runLikeBrowser } from './support/browser.ts';
import { asModule, exampleOf } from './support/example.ts';
import { packages } from './support/tree.ts';

const named = packages.map((one) => ({ name: one.manifest.name, one }));

describe.each(named)('$name in a browser', ({ name, one }) => {
  it('bundles and loads, all of it', async () => {
    const code = `import * as all from '${name}'; console.log(Object.keys(all).length);`;
    const count = runLikeBrowser(await bundleForBrowser(code, one.folder));
    expect(Number(count)).toBeGreaterThan(0);
  });

  it('runs the example of its README', async () => {
    const example = exampleOf(one);
    const printed = runLikeBrowser(await bundleForBrowser(asModule(example), one.folder));
    if (example.prints !== undefined) expect(printed).toBe(example.prints);
  });
});

describe('the browser of these tests', () => {
  it.each(['process', 'Buffer', 'require', 'global'])('has no %s', (name) => {
    expect(runLikeBrowser(`console.log(typeof ${name})`)).toBe('undefined\n');
  });

  it('has no room for a node: module', async () => {
    const [{ folder } = { folder: '' }] = packages;
    const code = "import { readFileSync } from 'node:fs'; console.log(readFileSync);";
    await expect(bundleForBrowser(code, folder)).rejects.toThrow('node:fs');
  });
});
