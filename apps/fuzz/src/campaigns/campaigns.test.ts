import { describe, expect, it } from 'vitest';
import { runHere } from '../run/here.ts';
import { createCampaigns } from './index.ts';

/** Milliseconds: enough for thousands of executions; long ones are elsewhere. */
const timeMs = 1000;

describe('a campaign', () => {
  it.each(createCampaigns())('finds nothing in a moment: $name', (campaign) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    const { executions, findings } = runHere(campaign, 20250101, { timeMs });
    Error.stackTraceLimit = limit;
    expect(findings.map(({ fault }) => `${fault.key}: ${fault.message}`)).toEqual([]);
    expect(executions).toBeGreaterThan(0);
  });
});
