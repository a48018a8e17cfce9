import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generate, seeded } from './generate.ts';
import { formatValue } from './show.ts';
import { structs } from './testing/structs.ts';
import { valuesOf } from './testing/values.ts';
import { PageRun, pageSources } from './records/page-map.ts';

describe.each(structs)('a generated $name', ({ struct }) => {
  it('is plain when nothing is drawn but zeros', () => {
    const value = generate(struct, () => 0);
    for (const { name, field } of struct.fields) {
      if (field.notation.kind === 'enum') continue;
      expect(Number(value[name] instanceof Uint8Array ? 0 : value[name])).toBe(0);
    }
  });

  it('says only what its notation knows, if it is to be valid', () => {
    fc.assert(
      fc.property(valuesOf(struct, { valid: true }), (value) => {
        for (const { name, field } of struct.fields) {
          const { kind } = field.notation;
          const shown = formatValue(field, value[name]);
          if (kind === 'enum') expect(shown).not.toContain('unknown');
          if (kind === 'flags' || kind === 'capabilities') expect(shown).not.toContain('0x');
          if (kind === 'signal') expect(shown).toMatch(/^(none|SIG.+)$/);
          if (name.startsWith('_')) expect(shown).toMatch(/^(0|\d+ zeros)$/);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('a generator', () => {
  const draw = (count: number, options?: { valid: boolean }) => {
    const random = seeded(7);
    return Array.from({ length: count }, () => generate(PageRun, random, options));
  };

  it('repeats itself for the same seed', () => {
    expect(draw(5)).toEqual(draw(5));
    expect(generate(PageRun, seeded(8))).not.toEqual(draw(1)[0]);
  });

  it('reaches the edges of a type, every name, and what has no name', () => {
    const values = draw(3000);
    const pages = values.map(({ pages }) => pages);
    for (const edge of [0n, 1n, 255n, 256n, 0xffffffffn, 1n << 32n, (1n << 64n) - 1n])
      expect(pages).toContain(edge);
    const sources = new Set(values.map(({ source }) => source));
    for (const source of Object.values(pageSources)) expect(sources).toContain(source);
    expect(sources.size).toBeGreaterThan(10);
    expect(new Set(draw(300, { valid: true }).map(({ source }) => source))).toEqual(
      new Set(Object.values(pageSources)),
    );
  });
});
