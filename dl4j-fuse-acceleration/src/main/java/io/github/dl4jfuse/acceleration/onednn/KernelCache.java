package io.github.dl4jfuse.acceleration.onednn;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** A layer's kernels for the shapes of late; those longest unused are freed, as sizes of batches may vary without end. */
final class KernelCache<K, V extends AutoCloseable> {

    private static final int MOST = 8;

    private final Function<K, V> maker;
    private final LinkedHashMap<K, V> kernels = new LinkedHashMap<>(16, 0.75f, true);

    KernelCache(Function<K, V> maker) {
        this.maker = maker;
    }

    V of(K key) {
        V found = kernels.get(key);
        if (found == null) {
            if (kernels.size() == MOST) {
                Map.Entry<K, V> oldest = kernels.entrySet().iterator().next();
                kernels.remove(oldest.getKey());
                close(oldest.getValue());
            }
            found = maker.apply(key);
            kernels.put(key, found);
        }
        return found;
    }

    /** Frees all of them. */
    void clear() {
        kernels.values().forEach(KernelCache::close);
        kernels.clear();
    }

    private static void close(AutoCloseable kernel) {
        try {
            kernel.close();
        } catch (Exception e) {
            throw new IllegalStateException("Memory of a layer's kernels could not be freed.", e);
        }
    }
}
