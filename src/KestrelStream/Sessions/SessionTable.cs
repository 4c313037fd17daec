using KestrelStream.Model;

namespace KestrelStream.Sessions;

/// <summary>Every session that runs. A session is in it before any work starts and leaves it after both its connections are closed. Thread-safe.</summary>
/// <remarks>Striped, with links inside the sessions: adding and removing allocate nothing and hardly ever meet.</remarks>
internal sealed class SessionTable
{
    private readonly Stripe[] _stripes;
    private readonly int _mask;

    public SessionTable()
    {
        var count = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, Environment.ProcessorCount * 4));
        _stripes = new Stripe[count];
        for (var i = 0; i < count; i++)
        {
            _stripes[i] = new Stripe();
        }

        _mask = count - 1;
    }

    public int Count
    {
        get
        {
            var count = 0;
            foreach (var stripe in _stripes)
            {
                count += Volatile.Read(ref stripe.Count);
            }

            return count;
        }
    }

    public void Add(StreamSession session)
    {
        var stripe = StripeOf(session);
        lock (stripe)
        {
            session.TableNext = stripe.Head;
            if (stripe.Head is not null)
            {
                stripe.Head.TablePrevious = session;
            }

            stripe.Head = session;
            stripe.Count++;
        }
    }

    public void Remove(StreamSession session)
    {
        var stripe = StripeOf(session);
        lock (stripe)
        {
            if (session.TablePrevious is null)
            {
                stripe.Head = session.TableNext;
            }
            else
            {
                session.TablePrevious.TableNext = session.TableNext;
            }

            if (session.TableNext is not null)
            {
                session.TableNext.TablePrevious = session.TablePrevious;
            }

            session.TablePrevious = session.TableNext = null;
            stripe.Count--;
        }
    }

    /// <summary>The sessions of this moment; a copy, a stripe at a time.</summary>
    public List<StreamSession> Snapshot()
    {
        var sessions = new List<StreamSession>(Count);
        foreach (var stripe in _stripes)
        {
            lock (stripe)
            {
                for (var session = stripe.Head; session is not null; session = session.TableNext)
                {
                    sessions.Add(session);
                }
            }
        }

        return sessions;
    }

    /// <summary>Looks at one session after the other, without a copy, until told to stop. Others wait meanwhile to begin or end: a look is short, and calls nothing here.</summary>
    /// <param name="state">For the look.</param>
    /// <param name="look">False = that was enough.</param>
    public void Visit<TState>(TState state, Func<StreamSession, TState, bool> look)
    {
        foreach (var stripe in _stripes)
        {
            lock (stripe)
            {
                for (var session = stripe.Head; session is not null; session = session.TableNext)
                {
                    if (!look(session, state))
                    {
                        return;
                    }
                }
            }
        }
    }

    /// <summary>Null = it does not run.</summary>
    public StreamSession? Find(long id)
    {
        var stripe = _stripes[id & _mask];
        lock (stripe)
        {
            var session = stripe.Head;
            while (session is not null && session.Id != id)
            {
                session = session.TableNext;
            }

            return session;
        }
    }

    /// <summary>Ends every session that is relayed with a destination.</summary>
    public void AbortOn(DestinationState destination, SessionEndReason reason)
    {
        foreach (var session in Snapshot())
        {
            if (session.Destination == destination && session.Phase == SessionPhase.Relay && session.TryEnd(reason))
            {
                session.ResetBoth();
            }
        }
    }

    private Stripe StripeOf(StreamSession session) => _stripes[session.Id & _mask];

    private sealed class Stripe
    {
        public StreamSession? Head;
        public int Count;
    }
}
