/** A failure that names its flag, file or engine, with the code of its cause. Exit code 1. */
export class NamedError extends Error {
  constructor(
    message: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
