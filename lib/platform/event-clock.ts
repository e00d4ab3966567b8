/**
 * How far Feishu's clock may run ahead of this host's, in milliseconds. A time further ahead is wrong: it must not
 * outweigh the events that follow.
 */
export const MAX_CLOCK_LEAD_MS = 5 * 60_000;
