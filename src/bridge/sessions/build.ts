/** Version of dtesn and instruction set in use: states are equal to the bit for the same two. */
import { native, packageVersion } from '../../native/index.js';

export function thisBuild(): string {
  return `${packageVersion()} ${native.isa}`;
}
