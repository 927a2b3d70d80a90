package io.github.dl4jfuse.acceleration.onednn;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;

/**
 * A layer's kernels for the shapes of late; those longest unused are freed, as sizes of batches may vary without end. What oneDNN's
 * objects take is freed with them, and by the garbage collector where a network is dropped without a word.
 */
final class KernelCache<K, V> {

    private static final int MOST = 8;

    private final Function<K, V> maker;
    private final LinkedHashMap<K, Entry<V>> entries = new LinkedHashMap<>(16, 0.75f, true);

    private record Entry<V>(V kernels, PointerScope memory) {}

    KernelCache(Function<K, V> maker) {
        this.maker = maker;
    }

    V of(K key) {
        Entry<V> found = entries.get(key);
        if (found == null) {
            if (entries.size() == MOST) {
                Iterator<Entry<V>> oldest = entries.values().iterator();
                oldest.next().memory().deallocate();
                oldest.remove();
            }
            found = make(key);
            entries.put(key, found);
        }
        return found.kernels();
    }

    @SuppressWarnings("unchecked") // PointerScope takes an array of classes, here of none
    private Entry<V> make(K key) {
        OneDnn.engine(); // belongs to no kernel
        try (PointerScope memory = new PointerScope()) {
            memory.extend(); // beyond this block
            return new Entry<>(maker.apply(key), memory);
        }
    }

    /** Frees all of them. */
    void clear() {
        entries.values().forEach(entry -> entry.memory().deallocate());
        entries.clear();
    }
}
