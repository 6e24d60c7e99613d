interface CloseButtonProps {
  /** What it closes, for those who do not see it. */
  readonly label: string;
  readonly onClose: () => void;
}

/** The cross at the head of a panel. */
export function CloseButton({ label, onClose }: CloseButtonProps) {
  return (
    <button type="button" className="quiet" onClick={onClose} aria-label={label}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d="M3 3l10 10M13 3 3 13" stroke="currentColor" strokeWidth="1.75" />
      </svg>
    </button>
  );
}
