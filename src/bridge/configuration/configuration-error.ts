/** What is wrong with a file or a variable of the configuration: one line that names it and the field. */
import { brand } from '../../errors/index.js';

export class ConfigurationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigurationError';
  }
}

/** Whether something is an error of the configuration's file or environment. */
export const isConfigurationError = brand(ConfigurationError, 'ConfigurationError');
