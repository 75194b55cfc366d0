/** What `config print` shows in the place of a secret. No reader takes it, so that nobody loads it by mistake. */
export const redacted = '(redacted by config print)';
