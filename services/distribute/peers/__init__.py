"""What peer channels share: guarded HTTP, and words about an alert."""
