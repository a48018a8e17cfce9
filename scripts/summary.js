// Adds up reports/*.json: what was skipped and why, a line for each run, the sum as last line.
// Arguments name the runs that must be there; without any, all that are there count.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

const wanted = process.argv.slice(2);
const found = existsSync('reports')
  ? readdirSync('reports').map((file) => file.replace(/\.json$/, ''))
  : [];
const names = wanted.length > 0 ? wanted : found.sort();

/** @type {{ passed: number, failed: number, skipped: number }} */
const sum = { passed: 0, failed: 0, skipped: 0 };

for (const name of names) {
  if (!found.includes(name)) {
    console.log(`${name}: left no report`);
    sum.failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(`reports/${name}.json`, 'utf8'));
  for (const { file, test, reason } of report.skipped)
    console.log(`skipped: ${file}: ${test}: ${reason ?? 'no reason given'}`);
  console.log(line(`${name}:`, { ...report, skipped: report.skipped.length }));
  sum.passed += report.passed;
  sum.failed += report.failed;
  sum.skipped += report.skipped.length;
}

if (sum.passed + sum.failed === 0) {
  console.log('no test ran');
  sum.failed += 1;
}
console.log(line('', sum).trim());
process.exitCode = sum.failed > 0 ? 1 : 0;

/**
 * @param {string} label
 * @param {{ passed: number, failed: number, skipped: number }} counts
 */
function line(label, { passed, failed, skipped }) {
  return `${label} ${passed} passed, ${failed} failed, ${skipped} skipped`;
}
