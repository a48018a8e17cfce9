export { generateFacts } from './generate-facts.ts';
export { resources } from './resources/index.ts';
