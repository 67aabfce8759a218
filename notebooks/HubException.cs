namespace Notebooks;

/// <summary>A file could not be fetched from the Hugging Face hub; the message says why, and what may help.</summary>
sealed class HubException(string message, Exception? inner = null) : Exception(message, inner);
