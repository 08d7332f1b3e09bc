import java.util.concurrent.Callable
import java.util.concurrent.locks.ReentrantLock

/** Lets one branch of the Jenkinsfile run at a time, as Jenkins does; a branch that waits for a step lets the next one run. */
class Baton {
    /** Bytes for the stack of a thread: the nested calls that Jenkins permits need more than Java gives. */
    static final long STACK = 64L * 1024 * 1024
    private static final ReentrantLock LOCK = new ReentrantLock(true)

    static void take() { LOCK.lock() }

    static void release() { LOCK.unlock() }

    /** Let others run until a body has waited for something. */
    static Object lend(Closure body) {
        int held = LOCK.holdCount
        held.times { LOCK.unlock() }
        try {
            return body.call()
        } finally {
            held.times { LOCK.lock() }
        }
    }

    /** Start a thread that runs when it is its turn, after those that were started before. */
    static Thread start(String name, Closure body) {
        Thread thread = new Thread(null, {
            take()
            try {
                body.call()
            } finally {
                release()
            }
        }, name, STACK)
        thread.start()
        while (thread.alive && !LOCK.hasQueuedThread(thread)) {
            Thread.yield()
        }
        return thread
    }
}
