package io.github.dl4jfuse.datasets;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the folder of a data set: the one named by the user, else one of an installed package, else the cache, which is
 * filled by a download when it lacks the files.
 */
final class DataFolders {
    static final String DATA_PROPERTY = "dl4jfuse.data";
    static final String DATA_VARIABLE = "DL4J_FUSE_DATA";
    static final String CACHE_PROPERTY = "dl4jfuse.cache";

    private static final Logger LOG = LoggerFactory.getLogger(DataFolders.class);

    private final UnaryOperator<String> properties;
    private final UnaryOperator<String> environment;

    /** Takes the two look-ups, which return null for what is not set. */
    DataFolders(UnaryOperator<String> properties, UnaryOperator<String> environment) {
        this.properties = properties;
        this.environment = environment;
    }

    /** Returns the search by this program's system properties and environment. */
    static DataFolders ofSystem() {
        return new DataFolders(System::getProperty, System::getenv);
    }

    /** Returns a folder that holds all files of the data set. */
    Path find(DataSetFiles set) {
        String byProperty = properties.apply(DATA_PROPERTY);
        if (isSet(byProperty)) {
            return findIn(Path.of(byProperty), "the system property " + DATA_PROPERTY, set);
        }
        String byVariable = environment.apply(DATA_VARIABLE);
        if (isSet(byVariable)) {
            return findIn(Path.of(byVariable), "the environment variable " + DATA_VARIABLE, set);
        }
        for (Path folder : set.installedFolders) {
            if (set.missingIn(folder).isEmpty()) {
                return found(set, folder);
            }
        }
        Path cache = cacheFolder(set);
        if (!set.missingIn(cache).isEmpty()) {
            set.downloadTo(cache);
        }
        return found(set, cache);
    }

    /** Returns the folder itself, which the caller was given; it must hold the files directly. */
    static Path require(Path folder, DataSetFiles set) {
        requireFolder(folder, "The folder " + folder, set);
        List<String> missing = set.missingIn(folder);
        if (!missing.isEmpty()) {
            throw new DataException("The folder " + folder + " lacks " + String.join(", ", missing) + " of " + set.title
                    + ". " + set.remedy(folder));
        }
        return found(set, folder);
    }

    /** Returns the folder that downloads of the data set go to. */
    Path cacheFolder(DataSetFiles set) {
        String cache = properties.apply(CACHE_PROPERTY);
        Path root = isSet(cache) ? Path.of(cache) : Path.of(properties.apply("user.home"), ".cache", "dl4j-fuse");
        return root.resolve(set.cacheName);
    }

    private static Path findIn(Path folder, String namedBy, DataSetFiles set) {
        requireFolder(folder, "The folder " + folder + ", named by " + namedBy + ",", set);
        List<Path> candidates = new ArrayList<>();
        candidates.add(folder);
        set.subFolders.forEach(name -> candidates.add(folder.resolve(name)));

        Path closest = folder;
        List<String> fewestMissing = set.missingIn(folder);
        for (Path candidate : candidates) {
            List<String> missing = set.missingIn(candidate);
            if (missing.isEmpty()) {
                return found(set, candidate);
            }
            if (missing.size() < fewestMissing.size()) {
                closest = candidate;
                fewestMissing = missing;
            }
        }
        throw new DataException("The folder " + folder + ", named by " + namedBy + ", holds " + set.title
                + " neither directly nor in a sub-folder (" + String.join(", ", set.subFolders) + "): " + closest
                + " lacks " + String.join(", ", fewestMissing) + ". " + set.remedy(closest));
    }

    private static void requireFolder(Path folder, String subject, DataSetFiles set) {
        if (!Files.isDirectory(folder)) {
            throw new DataException(subject + " does not exist or is no folder. " + set.remedy(folder));
        }
    }

    private static Path found(DataSetFiles set, Path folder) {
        LOG.info("{} is read from {}", set.title, folder);
        return folder;
    }

    private static boolean isSet(String value) {
        return value != null && !value.isBlank();
    }
}
