/** How such figures can mislead, and what the benchmark does about it. It contains no figure, so it holds for every run. */
export const TRAPS = `## How these figures could mislead

- **Dead code.** The result of every read goes into a sum that the loop returns, so V8 cannot remove a read. Each case has a separate loop: in a
  shared loop V8 would see many types and slow down the fast cases most.
- **Unequal work.** Every package reads a warm token with two hours to live. The text below the table says what a package does less than this module. The
  designs in section 2 send the same requests as the module, with the same \`fetch\`.
- **Other code in the process.** Each package and each design runs in a separate process. In one process, an \`AsyncLocalStorage\` that one of them uses
  makes every \`await\` of the others slower. The module uses one only during a flight and while a handler with \`@FeishuAuth()\` runs.
- **Warm-up.** Every loop runs before its first round. That run is not counted.
- **The garbage collector.** It runs before each measurement, and its pauses during a measurement count: the figure of a round is the mean
  of the time, not the median. Bytes for each read are the growth of the heap over many reads, with a young generation so large that no collection runs.
- **A machine that changes its speed.** Rounds are interleaved, and every second one runs in reverse order. Ratios are taken round by round. The tables
  show the median and the middle half of the rounds.
- **One event loop for both sides.** The emulator and the sender of HTTP requests run in separate processes. With few cores they still share
  those, and the figures of all packages suffer alike.
- **Coordinated omission.** For latencies, reads arrive at their times whether or not earlier reads are answered, and each is timed from the
  moment it was due. "Reads per second" comes from callers that wait for their answer, and it is not a latency.
- **Scaled time.** Tokens of one second differ from tokens of two hours: the hourly check of a design becomes half a life, and chance decides when it
  runs. The simulated day has the real times and does not depend on the machine.
- **One machine.** Absolute figures belong to this machine. Compare ratios, or run the benchmark on yours.`;
