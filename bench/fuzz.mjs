/**
 * Executions per second and core of the fuzz campaigns, and of decoding revision 3 by itself (aim:
 * 20,000 and more). Medians; processor time is counted, so that a busy machine changes little.
 * `tsc -b` first: node bench/fuzz.mjs
 */
import process from 'node:process';
import { median, row } from './measure.mjs';

/** The app exports nothing: what it is made of is taken from where it was compiled to. */
const part = (path) => import(new URL(`../apps/fuzz/dist/${path}.js`, import.meta.url).href);

const { createCampaigns } = await part('campaigns/index');
const { decode } = await part('campaigns/decode');
const { engineReaders } = await part('readers/engine');
const { builtInSeeds } = await part('images/seeds');
const { runHere } = await part('run/here');

const rounds = Number(process.env.ROUNDS ?? 5);
const timeMs = 1000;

/** As in a worker: stacks are taken for findings alone. */
Error.stackTraceLimit = 0;

function perSecond(campaign, seed) {
  const before = process.cpuUsage();
  const { executions, findings } = runHere(campaign, seed, { timeMs });
  const { user, system } = process.cpuUsage(before);
  if (findings.length > 0) throw new Error(findings[0].fault.message);
  return executions / ((user + system) / 1e6);
}

function measure(name, campaign, aim) {
  perSecond(campaign, 0);
  const speeds = Array.from({ length: rounds }, (_, round) => perSecond(campaign, round + 1));
  const speed = Math.round(median(speeds)).toLocaleString('en-US');
  row(name, { 'executions/s and core': `${speed}${aim === undefined ? '' : ` (aim ${aim})`}` });
}

const only = engineReaders.filter(({ name }) => name === 'verifyImage');
measure('fuzz: decode revision 3', decode(builtInSeeds(), only), '20,000');
for (const campaign of createCampaigns()) measure(`fuzz: ${campaign.name}`, campaign);
