export { resources } from './resources/index.ts';
