import { arrow, block, picture, rule, text } from './svg.mjs';

const CALLERS = 78;
const PROCESS = 262;
const REDIS = 490;
const FEISHU = 702;
const TOP = 74;
const BOTTOM = 512;

/** What happens when callers need a token that the process does not hold. */
export function oneFlight() {
  return picture({
    width: 760,
    height: 536,
    title: 'One flight',
    description:
      'Three callers need the same token. They share one flight: adopt, lock, re-check, fetch, publish, release.',
    body: [
      ...lane(CALLERS, 'callers'),
      ...lane(PROCESS, 'this process'),
      ...lane(REDIS, 'Redis: store and lock'),
      ...lane(FEISHU, 'Feishu'),

      ...[0, 1, 2].map((caller) => arrow(CALLERS, 96 + caller * 16, PROCESS - 8, 96 + caller * 16)),
      text(CALLERS + 8, 90, 'three callers', 'small'),
      `<rect x="${PROCESS - 7}" y="92" width="14" height="${BOTTOM - 110}" rx="3" fill="var(--pale)" stroke="var(--blue)"/>`,
      text(PROCESS - 16, 166, 'one flight', 'small end'),

      ...step(164, REDIS, '1  adopt: is a token in the store?', 'no'),
      ...step(222, REDIS, '2  lock', 'granted'),
      ...step(280, REDIS, '3  re-check: is one there now?', 'no'),
      ...step(338, FEISHU, '4  fetch: request a token', 'a token for two hours'),

      ...[0, 1, 2].map((caller) =>
        arrow(PROCESS - 8, 412 + caller * 16, CALLERS, 412 + caller * 16, 'answer'),
      ),
      text(CALLERS + 8, 404, '5  publish', 'small'),
      text(PROCESS + 18, 434, '    the token, for other processes', 'small'),
      arrow(PROCESS + 8, 442, REDIS, 442),
      text(PROCESS + 18, 474, '6  release the lock', 'small'),
      arrow(PROCESS + 8, 482, REDIS, 482),

      note(REDIS + 18, 182, 'yes: use it, done'),
      note(REDIS + 18, 228, 'held by another process:'),
      note(REDIS + 18, 245, 'background flights end,'),
      note(REDIS + 18, 262, 'callers wait at most 2 s'),
      note(REDIS + 18, 298, 'yes: use it, done'),
    ].join('\n'),
  });
}

function lane(x, name) {
  const width = name.length * 8.4 + 28;
  return [
    rule(x, TOP - 14, x, BOTTOM, 'lane'),
    block(x - width / 2, 26, width, 34, 'pale'),
    text(x, 48, name, 'bold middle'),
  ];
}

/** A request from the process with its answer. */
function step(y, target, request, answer) {
  return [
    text(PROCESS + 18, y - 4, request, 'small'),
    arrow(PROCESS + 8, y + 4, target, y + 4),
    arrow(target, y + 28, PROCESS + 8, y + 28, 'answer'),
    text(PROCESS + 18, y + 22, answer, 'small soft'),
  ];
}

function note(x, y, content) {
  return text(x, y, content, 'small soft');
}
