import { arrow, block, bracket, picture, rule, text } from './svg.mjs';

const LEFT = 30;
const WIDTH = 690;
const LIFE_MIN = 120;
const at = (minute) => LEFT + (minute * WIDTH) / LIFE_MIN;
const inLastMinute = (second) => LEFT + (second * WIDTH) / 60;

const BAR = 96;
const NEXT = 172;
const ZOOM = 286;
const HEIGHT = 34;

/** The windows of a token that lives two hours, and its last minute enlarged. */
export function tokenLife() {
  return picture({
    width: LEFT * 2 + WIDTH,
    height: 396,
    title: 'The life of a token',
    description:
      'A token lives 120 minutes. It is renewed at a random moment 22 to 28 minutes before its end. Both tokens are valid until their own end. ' +
      'Callers get the token at once until 10 seconds before its end.',
    body: [
      `<path d="M${at(119)} ${BAR + HEIGHT}L${LEFT} ${ZOOM}M${at(120)} ${BAR + HEIGHT}L${at(120)} ${ZOOM}" class="rule" stroke-dasharray="3 4"/>`,
      text(LEFT, 32, 'A token of two hours', 'bold'),
      bracket(at(0), at(90), 68, 'asked again, Feishu returns the same token'),
      bracket(at(90), at(120), 68, 'Feishu returns a new one'),

      block(at(0), BAR, at(92) - at(0), HEIGHT, 'pale'),
      block(at(92), BAR, at(98) - at(92), HEIGHT, 'amber'),
      block(at(98), BAR, at(119) - at(98), HEIGHT, 'pale'),
      block(at(119), BAR, at(120) - at(119), HEIGHT, 'rose'),
      text(at(46), BAR + 22, 'fresh', 'middle'),
      text(at(108.5), BAR + 22, 'still served', 'middle'),
      ...[0, 30, 60, 90, 120].map((minute) => tick(minute)),

      block(at(95), NEXT, at(120) - at(95) + 24, HEIGHT, 'pale'),
      text(at(95) + 12, NEXT + 22, 'the next token', ''),
      arrow(at(95), BAR + HEIGHT + 3, at(95), NEXT - 3),
      text(at(95) - 12, NEXT + 14, 'renewed in the background at a random moment,', 'end halo'),
      text(at(95) - 12, NEXT + 33, '22 to 28 minutes before the end', 'end soft halo'),

      text(LEFT, ZOOM - 14, 'The last minute, if every renewal has failed until then', 'bold halo'),
      block(inLastMinute(0), ZOOM, inLastMinute(50) - LEFT, HEIGHT, 'amber'),
      block(inLastMinute(50), ZOOM, inLastMinute(60) - inLastMinute(50), HEIGHT, 'rose'),
      text(inLastMinute(25), ZOOM + 22, 'still served; the renewal may wait for the lock', 'middle'),
      text(inLastMinute(55), ZOOM + 22, 'not used', 'middle'),
      ...[0, 50, 60].map((second) => secondTick(second)),

      `<path d="M${LEFT + 1} ${ZOOM + 66}v6h${inLastMinute(50) - LEFT - 2}v-6" class="rule" style="stroke:var(--soft)"/>`,
      text(inLastMinute(25), ZOOM + 91, 'callers get the token at once', 'middle soft small'),
      `<path d="M${inLastMinute(50) + 1} ${ZOOM + 66}v6h${inLastMinute(60) - inLastMinute(50) - 2}v-6" class="rule" style="stroke:var(--soft)"/>`,
      text(inLastMinute(55), ZOOM + 91, 'callers wait', 'middle soft small'),
    ].join('\n'),
  });
}

function tick(minute) {
  const label = minute === 0 ? '0' : `${minute} min`;
  const anchor = minute === 0 ? '' : minute === LIFE_MIN ? 'end' : 'middle';
  return [
    rule(at(minute), BAR + HEIGHT, at(minute), BAR + HEIGHT + 6),
    text(at(minute), BAR + HEIGHT + 21, label, `small soft ${anchor}`),
  ].join('\n');
}

function secondTick(second) {
  const label = second === 60 ? 'end' : `${60 - second} s before the end`;
  const anchor = second === 0 ? '' : second === 60 ? 'end' : 'middle';
  return [
    rule(inLastMinute(second), ZOOM + HEIGHT, inLastMinute(second), ZOOM + HEIGHT + 6),
    text(inLastMinute(second), ZOOM + HEIGHT + 21, label, `small soft ${anchor}`),
  ].join('\n');
}
