export { type Run } from '../run.js';
export const summaryTable = (): string => '';
