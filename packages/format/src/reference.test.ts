import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { recordKinds } from './catalogue.ts';
import { referencePage } from './testing/reference.ts';

const file = fileURLToPath(new URL('../REFERENCE.md', import.meta.url));

it('REFERENCE.md is what the declarations say (UPDATE=1 writes it)', async () => {
  const page = await format(referencePage(), { ...(await resolveConfig(file)), filepath: file });
  if (process.env.UPDATE === '1') writeFileSync(file, page);
  expect(readFileSync(file, 'utf8')).toBe(page);
});

it('a reference has a section for every record with fields', () => {
  const page = referencePage();
  for (const revision of [3, 100])
    for (const { name, type, content } of recordKinds(revision))
      if (content === 'fields') expect(page).toContain(`### ${name} ${type}, revision `);
});
