// Vitest reporter: leaves the counts of a run in reports/NAME.json, for scripts/summary.js.
import { mkdirSync, writeFileSync } from 'node:fs';
import process from 'node:process';

/** @implements {import('vitest/reporters').Reporter} */
export default class Tally {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} errors thrown outside of any test
   */
  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (/** @type {string} */ state) =>
      tests.filter((test) => test.result().state === state).length;
    // A file that does not load, or a hook that throws, is a failure that no test shows.
    const broken = modules
      .flatMap((module) => [module, ...module.children.allSuites()])
      .filter((suite) => suite.errors().length > 0).length;

    const skipped = tests.flatMap((test) => {
      const result = test.result();
      if (result.state !== 'skipped') return [];
      return [{ test: test.fullName, file: test.module.relativeModuleId, reason: result.note }];
    });
    const report = {
      passed: count('passed'),
      failed: count('failed') + count('pending') + broken + errors.length,
      skipped,
    };

    const name = process.env.CKPT_TALLY ?? 'tests';
    mkdirSync('reports', { recursive: true });
    writeFileSync(`reports/${name}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  }
}
