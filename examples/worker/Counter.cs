namespace WorkerApp;

/// <summary>The number of ticks so far, shared by the one that counts and the one that tells.</summary>
public sealed class Counter
{
    private long _ticks;

    public long Ticks => Interlocked.Read(ref _ticks);

    public long Add() => Interlocked.Increment(ref _ticks);
}
