/** How each of the ways was met in which such figures lie. Prose without a figure: it is true of every run. */
export const TRAPS = `## How these figures could lie

- **Dead code.** What every read returned goes into a sum that the loop returns, so none can be left out. Each case has a loop
  of its own: in a shared one V8 would see many types, and slow the fast ones down the most.
- **Unequal work.** Every peer reads a warm token with two hours to live. What a peer does less than we do is said beneath
  the table. The ancestors in section 2 make the same requests as the module, with the same \`fetch\`.
- **Neighbours.** Each peer and each design runs in a process of its own. In one process, whoever switches an
  \`AsyncLocalStorage\` on makes every \`await\` of all the others dearer; the module itself has one on only during a flight,
  and while a handler behind \`@FeishuAuth()\` is in use.
- **Warm-up.** Every loop runs before its first round, and that is not counted.
- **The garbage collector.** It is run before each measurement, and its pauses during one count: a round's figure is the mean
  of the time, not its median. Bytes a read are the growth of the heap over many reads with a young generation so large that
  nothing is collected meanwhile.
- **A machine that changes its pace.** Rounds are interleaved, every second one backwards; ratios are taken round by round.
  What is shown is the median, and the middle half of the rounds beside it.
- **One event loop for both sides.** The platform runs in a process of its own, and so does whoever sends requests over HTTP.
  With few cores they still share those; the figures of both sides then suffer alike.
- **Coordinated omission.** Where latencies are measured, reads arrive at their times whether or not the ones before are
  answered, and each is timed from when it was due. "Reads per second" comes from callers that do wait, and is no latency.
- **Scaled time.** Tokens of a second are not tokens of two hours: the ancestors' hourly check becomes half a life, and chance
  decides how it falls. The simulated day has the real times, and no machine in it.
- **One machine.** Absolute figures are this machine's. Compare ratios, or run it on yours.`;
