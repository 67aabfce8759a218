namespace Notebooks;

/// <summary>Pictures of charts could not be drawn; the message says what is missing or went wrong.</summary>
sealed class ChartPicturesException(string message) : Exception(message);
